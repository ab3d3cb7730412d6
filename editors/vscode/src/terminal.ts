/** Commands that run in the terminal, where a person sees them and may end them with Ctrl-C. */

import * as path from "node:path";
import * as vscode from "vscode";

import { quoted } from "./command";
import { findCommand } from "./interpreter";

/** What a code lens says: a part of a plan. */
export interface Part {
  uri: string;
  task?: string;
  phase?: string;
}

const NAME = "planrunner";

/** The plan that is meant: of a lens, or of the editor. */
function planOf(given: unknown): { uri: vscode.Uri; words: string[] } | undefined {
  if (isPart(given)) {
    const words = [
      ...(given.task === undefined ? [] : ["--task", given.task]),
      ...(given.phase === undefined ? [] : ["--phase", given.phase]),
    ];
    return { uri: vscode.Uri.parse(given.uri), words };
  }
  const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
  return uri === undefined ? undefined : { uri, words: [] };
}

function isPart(given: unknown): given is Part {
  return typeof given === "object" && given !== null && "uri" in given && typeof given.uri === "string";
}

async function inTerminal(given: unknown, verb: string, options: readonly string[]): Promise<void> {
  const plan = planOf(given);
  if (plan === undefined) {
    return;
  }
  const document = vscode.workspace.textDocuments.find((one) => String(one.uri) === String(plan.uri));
  if (document?.isDirty && !(await document.save())) {
    return; // what runs is the file
  }
  const folder = vscode.workspace.getWorkspaceFolder(plan.uri)?.uri.fsPath ?? path.dirname(plan.uri.fsPath);
  const runs = verb === "execute";
  const more = runs ? vscode.workspace.getConfiguration(NAME, plan.uri).get<string[]>("arguments", []) : [];
  const words = [
    ...(await findCommand(plan.uri)),
    verb,
    path.relative(folder, plan.uri.fsPath),
    ...options,
    ...plan.words,
    ...more,
  ];
  const known = vscode.window.terminals.find((one) => one.name === NAME && one.exitStatus === undefined);
  const terminal = known ?? vscode.window.createTerminal({ name: NAME, cwd: folder });
  terminal.show(true);
  terminal.sendText(quoted(words, process.platform));
}

/** Registers the commands. */
export function terminalCommands(): vscode.Disposable[] {
  const commands: [string, string, string[]][] = [
    ["planrunner.run", "execute", []],
    ["planrunner.runOnce", "execute", ["--once"]],
    ["planrunner.explain", "explain", []],
    ["planrunner.openLivePage", "execute", ["--ui", "--open"]],
  ];
  return commands.map(([name, verb, options]) =>
    vscode.commands.registerCommand(name, (given: unknown) => inTerminal(given, verb, options)),
  );
}
