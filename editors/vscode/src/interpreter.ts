/** Where planrunner is: a setting, or the environment of the Python extension. */

import * as vscode from "vscode";

import { type Command, commandOf } from "./command";

/** What is used of the Python extension's API. */
interface PythonApi {
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(path: { path: string }): Promise<
      { executable: { uri?: vscode.Uri } } | undefined
    >;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

const PYTHON = "ms-python.python";

async function pythonApi(): Promise<PythonApi | undefined> {
  return vscode.extensions.getExtension<PythonApi>(PYTHON)?.activate();
}

/** The command for the files of a folder. */
export async function findCommand(resource?: vscode.Uri): Promise<Command> {
  const settings = vscode.workspace.getConfiguration("planrunner", resource);
  const setting = settings.get<string[]>("command", []);
  return commandOf({ setting, interpreter: setting.length ? undefined : await chosen(resource) });
}

async function chosen(resource?: vscode.Uri): Promise<string | undefined> {
  const api = await pythonApi();
  if (api === undefined) {
    return undefined;
  }
  const path = api.environments.getActiveEnvironmentPath(resource);
  return (await api.environments.resolveEnvironment(path))?.executable.uri?.fsPath;
}

/** Calls back when another interpreter is chosen. */
export async function onOtherInterpreter(then: () => void): Promise<vscode.Disposable> {
  const api = await pythonApi();
  return api?.environments.onDidChangeActiveEnvironmentPath(then) ?? new vscode.Disposable(() => {});
}
