/** Words of expressions and threshold sentences have scopes of their own inside YAML. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import * as oniguruma from "vscode-oniguruma";
import * as textmate from "vscode-textmate";

const require = createRequire(__filename);
const INJECTION = "planrunner.injection";

async function grammar(): Promise<textmate.IGrammar> {
  await oniguruma.loadWASM(await readFile(require.resolve("vscode-oniguruma/release/onig.wasm")));
  const files: Record<string, string> = {
    "source.yaml": require.resolve("tm-grammars/grammars/yaml.json"),
    [INJECTION]: require.resolve("../syntaxes/planrunner.json"),
  };
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text: string) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (name) => {
      const file = files[name];
      return file ? textmate.parseRawGrammar(await readFile(file, "utf8"), file) : null;
    },
    getInjections: (name) => (name === "source.yaml" ? [INJECTION] : []),
  });
  const found = await registry.loadGrammar("source.yaml");
  assert(found);
  return found;
}

const loaded = grammar();

/** The scopes of a word in a line of YAML: those that are planrunner's. */
async function scopesOf(line: string, word: string): Promise<string[]> {
  const { tokens } = (await loaded).tokenizeLine(line, textmate.INITIAL);
  const at = line.indexOf(word);
  const token = tokens.find((one) => one.startIndex <= at && at < one.endIndex);
  return (token?.scopes ?? []).filter((one) => one.endsWith(".planrunner"));
}

const NAMED: [string, string, string][] = [
  ["url: http://127.0.0.1/${item.id}", "item", "variable.other.planrunner"],
  ["url: http://127.0.0.1/${item.id}", "id", "variable.other.property.planrunner"],
  ['name: "${user.name | upper}"', "upper", "support.function.filter.planrunner"],
  ["wait: ${random_int(1, 5)}", "random_int", "support.function.planrunner"],
  ["if: ${count > 3 and ready}", "and", "keyword.operator.logical.planrunner"],
  ["- p95 < 250ms", "p95", "support.function.aggregation.planrunner"],
  ["- p95 < 250ms", "250ms", "constant.numeric.planrunner"],
  ['- p99.9 of "GET /a" in phase peak <= 1s', "phase", "keyword.other.threshold.planrunner"],
  ['- p99.9 of "GET /a" in phase peak <= 1s', "GET", "string.quoted.double.planrunner"],
  ["- {warn: error_rate < 1%, fail: error_rate < 5%}", "error_rate", "support.function.aggregation.planrunner"],
  ["- throughput >= 100/s # as agreed", ">=", "keyword.operator.comparison.planrunner"],
];

for (const [line, word, scope] of NAMED) {
  test(`${word} in ${line}`, async () => {
    assert((await scopesOf(line, word)).includes(scope), String(await scopesOf(line, word)));
  });
}

const PLAIN: [string, string][] = [
  ["# p95 < 250ms ${a}", "p95"],
  ["count: 5", "count"],
  ["description: the rate of orders", "rate"],
  ["- throughput >= 100/s # as agreed < 5", "agreed"],
];

for (const [line, word] of PLAIN) {
  test(`${word} in ${line} is YAML's own`, async () => {
    assert.deepEqual(await scopesOf(line, word), []);
  });
}
