/** Commands that run in the terminal, where a person sees them and may end them with Ctrl-C. */

import * as path from "node:path";
import * as vscode from "vscode";

import { quoted } from "./command";
import { findCommand } from "./interpreter";
import { folderOf } from "./plans";

const NAME = "planrunner";

/** Runs a command about a plan: that of a menu, or of the editor. */
async function ofPlan(given: unknown, verb: string, options: readonly string[]): Promise<void> {
  const plan = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
  if (plan !== undefined) {
    await inTerminal(plan, [verb, path.relative(folderOf(plan), plan.fsPath), ...options]);
  }
}

/** Runs what a code lens says: a command, the plan's file, options. */
async function ofLens(_: string, words: string[]): Promise<void> {
  const [verb, file, ...options] = words;
  if (verb !== undefined && file !== undefined) {
    const plan = vscode.Uri.file(file);
    await inTerminal(plan, [verb, path.relative(folderOf(plan), file), ...options]);
  }
}

async function inTerminal(plan: vscode.Uri, called: readonly string[]): Promise<void> {
  const document = vscode.workspace.textDocuments.find((one) => String(one.uri) === String(plan));
  if (document?.isDirty && !(await document.save())) {
    return; // what runs is the file
  }
  const folder = folderOf(plan);
  const runs = called[0] === "execute";
  if (runs && !vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage("Plans run in workspaces that you trust.");
    return;
  }
  const settings = vscode.workspace.getConfiguration(NAME, plan);
  const more = runs ? settings.get<string[]>("arguments", []) : [];
  const words = [...(await findCommand(plan)), ...called, ...more];
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
  return [
    vscode.commands.registerCommand("planrunner.runInTerminal", ofLens),
    ...commands.map(([name, verb, options]) =>
      vscode.commands.registerCommand(name, (given: unknown) => ofPlan(given, verb, options)),
    ),
  ];
}
