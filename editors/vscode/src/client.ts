/** The language server: `planrunner lsp`, started with the interpreter of the workspace. */

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

import { findCommand } from "./interpreter";

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private going: Promise<void> = Promise.resolve();

  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** Starts the server, or again: another interpreter may have been chosen. One start at a time. */
  restart(): Promise<void> {
    this.going = this.going.then(() => this.replace());
    return this.going;
  }

  private async replace(): Promise<void> {
    await this.stop();
    const [command, ...first] = await findCommand(vscode.workspace.workspaceFolders?.[0]?.uri);
    // In a folder that nobody trusts, plans are those of strangers.
    const limits = vscode.workspace.isTrusted ? [] : ["--no-exec"];
    const client = new LanguageClient(
      "planrunner",
      "planrunner",
      { command, args: [...first, "lsp", ...limits] },
      {
        documentSelector: [{ scheme: "file", language: "yaml" }],
        outputChannel: this.log,
        synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{yaml,yml}") },
      },
    );
    try {
      await client.start();
      this.client = client;
    } catch (error) {
      this.log.error(`${command} can't be started: ${String(error)}`);
      void this.help();
    }
  }

  private async help(): Promise<void> {
    const settings = "Open the Setting";
    const words =
      "planrunner can't be started. Install it into the chosen interpreter " +
      "(`pip install 'planrunner[lsp]'`), or name its command in the setting.";
    if ((await vscode.window.showErrorMessage(words, settings)) === settings) {
      await vscode.commands.executeCommand(
        "workbench.action.openSettings",
        "planrunner.command",
      );
    }
  }

  private async stop(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.dispose();
  }

  dispose(): void {
    void this.stop();
  }
}
