/** What is shown of planrunner's answers, and which command is called. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { judgementWords, lineOf, looksLikePlan, placeOf, worstOf } from "../src/answers";
import { commandOf, quoted } from "../src/command";

const JUDGED = {
  threshold: "p95 < 250ms",
  verdict: "pass",
  observed: "212 ms",
  limit: "250 ms",
  reason: "",
  place: "plan.yaml:3:5",
};

test("a judgement is told as its figure and its limit", () => {
  assert.equal(judgementWords([JUDGED]), "p95 212 ms, limit 250 ms");
  const empty = { ...JUDGED, observed: "", limit: "", verdict: "no_data", reason: "no samples" };
  assert.equal(judgementWords([empty]), "no samples");
  const one = { ...JUDGED, threshold: 'max of "GET /a<b" < 1s', observed: "2 s", limit: "1 s" };
  assert.equal(judgementWords([one]), 'max of "GET /a<b" 2 s, limit 1 s');
});

test("a warning and a failure are told together, and the worst of them counts", () => {
  const fail = { ...JUDGED, place: "plan.yaml:3:30" };
  const warn = { ...JUDGED, threshold: "p95 < 100ms", limit: "100 ms", verdict: "fail" };
  assert.equal(judgementWords([fail, warn]), "p95 212 ms, limits 100 ms and 250 ms");
  assert.equal(worstOf([fail, warn]), "fail");
  assert.equal(worstOf([fail]), "pass");
  assert.equal(worstOf([fail, { ...fail, verdict: "no_data" }]), "no_data");
});

test("a judgement stays with its threshold while lines move", () => {
  assert.equal(lineOf(JUDGED, ["thresholds:", "", "  - p95 < 250ms"]), 2);
  assert.equal(lineOf(JUDGED, ["thresholds:", '  - "p95 < 250 ms"']), 1);
  assert.equal(lineOf(JUDGED, ["thresholds:", "", "  - p95 < 300ms"]), undefined);
  assert.equal(lineOf(JUDGED, ["p95 < 250ms", "p95 < 250ms"]), undefined);
});

test("places count from 0", () => {
  assert.deepEqual(placeOf("C:\\a b\\plan.yaml:3:5"), { file: "C:\\a b\\plan.yaml", line: 2, column: 4 });
  assert.equal(placeOf(""), undefined);
});

test("a plan is known by its first keys", () => {
  assert(looksLikePlan("name: x\nusers:\n"));
  assert(!looksLikePlan("services:\n  users: 3\n"));
});

test("the setting comes before the interpreter, and that before the path", () => {
  assert.deepEqual(commandOf({ setting: ["pr", "-v"], interpreter: "/py" }), ["pr", "-v"]);
  assert.deepEqual(commandOf({ setting: [], interpreter: "/py" }), ["/py", "-P", "-m", "planrunner"]);
  assert.deepEqual(commandOf({ setting: [], interpreter: undefined }), ["planrunner"]);
});

test("a terminal gets each word as one", () => {
  assert.equal(quoted(["pr", "a b.yaml", "it's", "$x"], "linux"), `pr 'a b.yaml' 'it'"'"'s' '$x'`);
  assert.equal(quoted(["C:\\a b\\pr", "it's"], "win32"), "& 'C:\\a b\\pr' 'it''s'");
});
