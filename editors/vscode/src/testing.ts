/** The test explorer: plans, and their thresholds as tests. */

import * as vscode from "vscode";

import type { Explained, Judgement, RunFacts } from "./answers";
import { judgementWords, placeOf } from "./answers";
import { ask, findPlans, isPlan } from "./plans";

/** Called with the plan when a run of it has ended. */
export type OnEnd = (plan: vscode.Uri, facts: RunFacts) => void;

const PASSED = "pass";

/** Registers the explorer's tree and its run profile. */
export function planTests(onEnd: OnEnd): vscode.Disposable[] {
  const tests = vscode.tests.createTestController("planrunner", "planrunner");
  const watcher = vscode.workspace.createFileSystemWatcher("**/*.{yaml,yml}");
  const look = (file: vscode.Uri) => void refresh(tests, file);
  tests.resolveHandler = async (item) => {
    if (item?.uri) {
      await readThresholds(tests, item, item.uri);
      return;
    }
    for (const plan of await findPlans()) {
      add(tests, plan);
    }
  };
  tests.refreshHandler = async () => {
    tests.items.replace([]);
    await tests.resolveHandler?.(undefined);
  };
  tests.createRunProfile(
    "Run",
    vscode.TestRunProfileKind.Run,
    (request, stop) => runTests(tests, request, stop, onEnd),
    true,
  );
  return [
    tests,
    watcher,
    watcher.onDidCreate(look),
    watcher.onDidChange(look),
    watcher.onDidDelete((file) => tests.items.delete(String(file))),
  ];
}

function add(tests: vscode.TestController, plan: vscode.Uri): vscode.TestItem {
  const known = tests.items.get(String(plan));
  const item = known ?? tests.createTestItem(String(plan), vscode.workspace.asRelativePath(plan), plan);
  item.canResolveChildren = true;
  tests.items.add(item);
  return item;
}

async function refresh(tests: vscode.TestController, file: vscode.Uri): Promise<void> {
  if (await isPlan(file)) {
    await readThresholds(tests, add(tests, file), file);
  } else {
    tests.items.delete(String(file));
  }
}

/** Makes the thresholds of a plan its children; those of an invalid plan are unknown. */
async function readThresholds(
  tests: vscode.TestController,
  item: vscode.TestItem,
  plan: vscode.Uri,
): Promise<void> {
  const { code, out, err } = await ask(plan, ["explain", "{}", "--json"]);
  item.error = code === 0 ? undefined : err;
  const found = code === 0 ? (JSON.parse(out) as Explained).thresholds : [];
  item.children.replace(
    found.map((one, number) => {
      const child = tests.createTestItem(`${item.id}#${number}`, one.text, plan);
      child.description = one.level;
      const place = placeOf(one.at);
      if (place !== undefined) {
        child.range = new vscode.Range(place.line, place.column, place.line, place.column);
      }
      return child;
    }),
  );
}

/** The plans of a request: a threshold is judged by a run of its plan. */
async function plansOf(
  tests: vscode.TestController,
  request: vscode.TestRunRequest,
): Promise<Set<vscode.TestItem>> {
  // All may be asked for before anybody has looked at the tree.
  const wanted = request.include ?? (await findPlans()).map((plan) => add(tests, plan));
  const excluded = new Set(request.exclude ?? []);
  return new Set(wanted.filter((one) => !excluded.has(one)).map((one) => one.parent ?? one));
}

async function runTests(
  tests: vscode.TestController,
  request: vscode.TestRunRequest,
  stop: vscode.CancellationToken,
  onEnd: OnEnd,
): Promise<void> {
  const run = tests.createTestRun(request);
  const ending = new AbortController();
  stop.onCancellationRequested(() => ending.abort());
  for (const item of await plansOf(tests, request)) {
    if (item.uri !== undefined && !stop.isCancellationRequested) {
      await runPlan(tests, run, item, item.uri, ending.signal, onEnd);
    }
  }
  run.end();
}

async function runPlan(
  tests: vscode.TestController,
  run: vscode.TestRun,
  item: vscode.TestItem,
  plan: vscode.Uri,
  signal: AbortSignal,
  onEnd: OnEnd,
): Promise<void> {
  await readThresholds(tests, item, plan);
  const began = Date.now();
  run.started(item);
  const more = vscode.workspace.getConfiguration("planrunner", plan).get<string[]>("arguments", []);
  const { code, out, err } = await ask(plan, ["execute", "{}", "--json", ...more], signal);
  run.appendOutput(err.replaceAll("\n", "\r\n"), undefined, item);
  if (out.trim() === "") {
    run.errored(item, new vscode.TestMessage(err || `it ended with ${code}`));
    return;
  }
  const facts = JSON.parse(out) as RunFacts;
  tellThresholds(run, item, facts.judgements);
  const took = Date.now() - began;
  if (facts.exit_code === 0) {
    run.passed(item, took);
  } else {
    run.failed(item, new vscode.TestMessage(`exit code ${facts.exit_code}: ${facts.ended_because}`), took);
  }
  onEnd(plan, facts);
}

function tellThresholds(run: vscode.TestRun, item: vscode.TestItem, judgements: Judgement[]): void {
  const left = [...judgements];
  for (const [, child] of item.children) {
    const line = child.range?.start.line;
    const number = left.findIndex(
      (one) => placeOf(one.place)?.line === line && sameText(one.threshold, child.label),
    );
    const [judgement] = number < 0 ? [] : left.splice(number, 1);
    if (judgement === undefined) {
      run.skipped(child);
    } else if (judgement.verdict === PASSED) {
      run.passed(child);
    } else {
      run.failed(child, new vscode.TestMessage(judgementWords([judgement])));
    }
  }
}

function sameText(one: string, other: string): boolean {
  const dense = (text: string) => text.replaceAll(/\s/g, "");
  return dense(one) === dense(other);
}
