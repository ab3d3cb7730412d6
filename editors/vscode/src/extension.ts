/** planrunner in VS Code: the language server, runs, the test explorer and last results. */

import * as vscode from "vscode";

import { looksLikePlan } from "./answers";
import { Server } from "./client";
import { onOtherInterpreter } from "./interpreter";
import { LastResults } from "./lastResult";
import { terminalCommands } from "./terminal";
import { planTests } from "./testing";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("planrunner", { log: true });
  const server = new Server(log);
  const results = new LastResults(log);
  const again = () => void server.restart();
  context.subscriptions.push(
    log,
    server,
    results,
    ...terminalCommands(),
    ...planTests((plan, facts) => results.take(plan, facts)),
    vscode.commands.registerCommand("planrunner.restart", again),
    vscode.workspace.onDidGrantWorkspaceTrust(again),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("planrunner.command")) {
        again();
      }
    }),
    vscode.window.onDidChangeActiveTextEditor(tellContext),
    await onOtherInterpreter(again),
  );
  tellContext(vscode.window.activeTextEditor);
  await server.restart();
}

/** Menus show commands of plans where a plan is open. */
function tellContext(editor: vscode.TextEditor | undefined): void {
  const { document } = editor ?? {};
  const is = document?.languageId === "yaml" && looksLikePlan(document.getText());
  void vscode.commands.executeCommand("setContext", "planrunner.isPlan", is);
}
