/** What came of each threshold in the last run, beside it. */

import * as path from "node:path";
import * as vscode from "vscode";

import type { Judgement, PastRun, RunFacts } from "./answers";
import { judgementWords, lineOf, looksLikePlan, worstOf } from "./answers";
import { ask, folderOf } from "./plans";

const METRICS = "**/metrics.json";

export class LastResults implements vscode.Disposable {
  private readonly judged = new Map<string, readonly Judgement[]>();
  private readonly kinds: Record<string, vscode.TextEditorDecorationType> = {
    pass: decoration("testing.iconPassed"),
    fail: decoration("testing.iconFailed"),
    other: decoration("descriptionForeground"),
  };
  private readonly watched: vscode.Disposable[];

  constructor(private readonly log: vscode.LogOutputChannel) {
    const runs = vscode.workspace.createFileSystemWatcher(METRICS);
    const again = () => vscode.window.visibleTextEditors.forEach((one) => void this.read(one));
    this.watched = [
      runs,
      runs.onDidCreate(again),
      runs.onDidChange(again),
      vscode.window.onDidChangeVisibleTextEditors(again),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.showIn(document)),
      vscode.workspace.onDidChangeConfiguration(again),
    ];
    again();
  }

  /** Takes what came of a run. */
  take(plan: vscode.Uri, facts: RunFacts): void {
    this.judged.set(String(plan), facts.judgements);
    vscode.window.visibleTextEditors
      .filter((one) => String(one.document.uri) === String(plan))
      .forEach((one) => this.show(one));
  }

  private async read(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    if (document.languageId !== "yaml" || !looksLikePlan(document.getText())) {
      return;
    }
    try {
      const run = await lastRun(document.uri);
      if (run !== undefined) {
        const { out } = await ask(document.uri, ["report", run.directory, "--json"]);
        this.take(document.uri, JSON.parse(out) as RunFacts);
      }
    } catch (error) {
      this.log.warn(`the last result of ${document.uri.fsPath} can't be read: ${String(error)}`);
    }
  }

  private showIn(document: vscode.TextDocument): void {
    vscode.window.visibleTextEditors
      .filter((one) => one.document === document)
      .forEach((one) => this.show(one));
  }

  private show(editor: vscode.TextEditor): void {
    const { document } = editor;
    const wanted = vscode.workspace.getConfiguration("planrunner", document.uri).get("lastResult", true);
    const lines = document.getText().split(/\r?\n/);
    const judged = (wanted && this.judged.get(String(document.uri))) || [];
    const options = new Map<string, vscode.DecorationOptions[]>();
    for (const [line, judgements] of byLine(judged, lines)) {
      const verdict = worstOf(judgements);
      const kind = verdict in this.kinds ? verdict : "other";
      const renderOptions = { after: { contentText: judgementWords(judgements) } };
      const shown = { range: document.lineAt(line).range, renderOptions };
      options.set(kind, [...(options.get(kind) ?? []), shown]);
    }
    for (const [kind, type] of Object.entries(this.kinds)) {
      editor.setDecorations(type, options.get(kind) ?? []);
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.watched, ...Object.values(this.kinds)).dispose();
  }
}

function decoration(color: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    after: { color: new vscode.ThemeColor(color), margin: "0 0 0 2em", fontStyle: "italic" },
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedOpen,
  });
}

function byLine(
  judgements: readonly Judgement[],
  lines: readonly string[],
): Map<number, Judgement[]> {
  const found = new Map<number, Judgement[]>();
  for (const judgement of judgements) {
    const line = lineOf(judgement, lines);
    if (line !== undefined) {
      found.set(line, [...(found.get(line) ?? []), judgement]);
    }
  }
  return found;
}

/** The last run of a plan below `reports`, where runs are unless a plan says otherwise. */
async function lastRun(plan: vscode.Uri): Promise<PastRun | undefined> {
  const { code, out } = await ask(plan, ["history", "reports", "--last", "200", "--json"]);
  if (code !== 0) {
    return undefined; // there is none yet
  }
  const folder = folderOf(plan);
  const runs = JSON.parse(out) as PastRun[];
  return runs.findLast((run) => path.resolve(folder, run.file) === plan.fsPath);
}
