/** The plans of the workspace: found, and asked about. */

import * as path from "node:path";
import * as vscode from "vscode";

import { type Ended, call, looksLikePlan } from "./answers";
import { findCommand } from "./interpreter";

/** The folder that commands about a plan run in. */
export function folderOf(plan: vscode.Uri): string {
  return vscode.workspace.getWorkspaceFolder(plan)?.uri.fsPath ?? path.dirname(plan.fsPath);
}

/** Whether a file is a plan. */
export async function isPlan(file: vscode.Uri): Promise<boolean> {
  try {
    return looksLikePlan(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)));
  } catch {
    return false; // it has gone meanwhile
  }
}

/** All plans of the workspace. */
export async function findPlans(): Promise<vscode.Uri[]> {
  const glob = vscode.workspace.getConfiguration("planrunner").get<string>("plans", "**/*.{yaml,yml}");
  const files = await vscode.workspace.findFiles(glob, "**/{node_modules,.venv,.git}/**");
  const are = await Promise.all(files.map(isPlan));
  return files.filter((_, number) => are[number]);
}

/** Asks planrunner about a plan, in its folder; `{}` stands for the plan. */
export async function ask(
  plan: vscode.Uri,
  words: readonly string[],
  signal?: AbortSignal,
): Promise<Ended> {
  const folder = folderOf(plan);
  const named = words.map((word) => (word === "{}" ? path.relative(folder, plan.fsPath) : word));
  // In a folder that nobody trusts, nothing of a plan is run.
  const limits = vscode.workspace.isTrusted || !words.includes("{}") ? [] : ["--no-exec"];
  return call(await findCommand(plan), folder, [...named, ...limits], signal);
}
