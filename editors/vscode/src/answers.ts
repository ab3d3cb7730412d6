/** What planrunner answers with --json: the parts that the editor shows. */

import { execFile } from "node:child_process";

import type { Command } from "./command";

export interface ExplainedThreshold {
  level: string;
  text: string;
  means: string;
  /** `file:line:column`; empty when the plan has no line for it. */
  at: string;
}

export interface Explained {
  plan: string;
  thresholds: ExplainedThreshold[];
}

export interface Judgement {
  threshold: string;
  verdict: string;
  observed: string;
  limit: string;
  reason: string;
  place: string;
}

export interface RunFacts {
  exit_code: number;
  ended_because: string;
  judgements: Judgement[];
}

export interface PastRun {
  directory: string;
  file: string;
  started: string;
}

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs a command to its end; `signal` interrupts it, as Ctrl-C does. */
export function call(
  command: Command,
  folder: string,
  words: readonly string[],
  signal?: AbortSignal,
): Promise<Ended> {
  const [program, ...first] = command;
  return new Promise((resolve, reject) => {
    const options = {
      cwd: folder,
      maxBuffer: 1 << 28,
      env: { ...process.env, NO_COLOR: "1" },
    };
    const child = execFile(program, [...first, ...words], options, (error, out, err) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") {
        resolve({ code, out, err });
      } else if (signal?.aborted) {
        resolve({ code: 130, out, err });
      } else {
        reject(new Error(error?.message ?? "it was killed"));
      }
    });
    signal?.addEventListener("abort", () => child.kill("SIGINT"));
  });
}

export interface Place {
  file: string;
  /** From 0, as editors count. */
  line: number;
  column: number;
}

/** Reads `file:line:column`. */
export function placeOf(text: string): Place | undefined {
  const found = /^(.*):(\d+):(\d+)$/.exec(text);
  if (found === null) {
    return undefined;
  }
  const [, file = "", line, column] = found;
  return { file, line: Number(line) - 1, column: Number(column) - 1 };
}

/**
 * What came of the thresholds of a line, as it stands beside them: `p95 212 ms, limit 250 ms`.
 * Those of one figure, such as a warning and a failure, are told together.
 */
export function judgementWords(judgements: readonly Judgement[]): string {
  const limits = new Map<string, string[]>();
  for (const one of [...judgements].sort((a, b) => columnOf(a) - columnOf(b))) {
    const figure = figureOf(one);
    limits.set(figure, [...(limits.get(figure) ?? []), ...(one.limit === "" ? [] : [one.limit])]);
  }
  const told = [...limits].map(([figure, all]) => {
    const word = all.length > 1 ? "limits" : "limit";
    return all.length ? `${figure}, ${word} ${all.join(" and ")}` : figure;
  });
  return told.join("; ");
}

function figureOf(judgement: Judgement): string {
  if (judgement.observed === "") {
    return judgement.reason || judgement.verdict;
  }
  const subject = /^((?:"[^"]*"|[^<>=!"])*)/.exec(judgement.threshold)?.[1] ?? "";
  return `${subject.trim()} ${judgement.observed}`.trim();
}

function columnOf(judgement: Judgement): number {
  return placeOf(judgement.place)?.column ?? 0;
}

/** What stands for several: the worst. */
export function worstOf(judgements: readonly Judgement[]): string {
  const verdicts = judgements.map((one) => one.verdict);
  return verdicts.includes("fail") ? "fail" : verdicts.find((one) => one !== "pass") ?? "pass";
}

/**
 * The line that a judgement belongs to now: the one it had, or, when the plan has changed, the only
 * one that says the same.
 */
export function lineOf(judgement: Judgement, lines: readonly string[]): number | undefined {
  const place = placeOf(judgement.place);
  const dense = (text: string) => text.replaceAll(/[\s'"]/g, "");
  const says = (line: string | undefined) => dense(line ?? "").includes(dense(judgement.threshold));
  if (place !== undefined && says(lines[place.line])) {
    return place.line;
  }
  const found = lines.flatMap((line, number) => (says(line) ? [number] : []));
  return found.length === 1 ? found[0] : undefined;
}

const FIRST_KEYS = /^(planrunner|users|phases|stages|profiles)[ \t]*:/m;

/** Whether a text is a plan: it has one of the keys that only plans have. */
export function looksLikePlan(text: string): boolean {
  return FIRST_KEYS.test(text);
}
