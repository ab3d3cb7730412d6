/** The server that the extension starts, spoken to by the client library that it uses. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

import {
  DidOpenTextDocumentNotification,
  DocumentFormattingRequest,
  ExitNotification,
  InitializeRequest,
  InitializedNotification,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  ShutdownRequest,
  createProtocolConnection,
} from "vscode-languageserver-protocol/node";

/** As JSON: the command that planrunner is here. */
const COMMAND = JSON.parse(process.env.PLANRUNNER ?? '["planrunner"]') as [string, ...string[]];

const PLAN = `\
name:   typo
users:
  Reader: {tasks: [{get: /}]}
phases: [{users: 1, hodl: 1s}]
`;

test("a plan that is opened is judged and can be formatted", async () => {
  const [program, ...first] = COMMAND;
  const server = spawn(program, [...first, "lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  const connection = createProtocolConnection(server.stdout, server.stdin);
  const published = new Promise<PublishDiagnosticsParams>((resolve) => {
    connection.onNotification(PublishDiagnosticsNotification.type, resolve);
  });
  connection.listen();
  const { capabilities } = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  await connection.sendNotification(InitializedNotification.type, {});
  const uri = "file:///nowhere/typo.yaml";
  await connection.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: "yaml", version: 1, text: PLAN },
  });
  const found = (await published).diagnostics.find((one) => one.message.includes("hodl"));
  const edits = await connection.sendRequest(DocumentFormattingRequest.type, {
    textDocument: { uri },
    options: { tabSize: 2, insertSpaces: true },
  });
  await connection.sendRequest(ShutdownRequest.type);
  await connection.sendNotification(ExitNotification.type);
  const code = await new Promise((resolve) => server.on("exit", resolve));

  assert(capabilities.documentFormattingProvider);
  assert.deepEqual(found?.range.start, { line: 3, character: 20 });
  assert(edits?.some((edit) => edit.newText.includes("name: typo")));
  assert.equal(code, 0);
});
