// What is known of a run: the state that the server gave, and each update applied to it.

const APPENDED = ["changes", "exchanges", "log"];
const MOST_LINES = 500;
const ARRIVALS = ["due", "started", "dropped", "late"]; // empty while no phase has due times
const COUNTS = new Set(["requests", "failed", "users", "failures", ...ARRIVALS]);
const OF_REQUEST = ["requests", "failed", "p50", "p95", "p99"];

export function apply(state, { seq, column, ...changes }) {
  state.seq = seq ?? state.seq;
  for (const [name, value] of Object.entries(changes)) {
    if (APPENDED.includes(name)) state[name].push(...value);
    else state[name] = value;
  }
  if (state.log.length > MOST_LINES) {
    state.log_left_out += state.log.length - MOST_LINES;
    state.log.splice(0, state.log.length - MOST_LINES);
  }
  if (column) setColumn(state.columns, column);
}

// Sets one interval of every series. What it leaves out is 0 of counts and null of values.
function setColumn(columns, { at, step, by_request: requests = {}, thresholds = [], ...column }) {
  columns.step = step ?? columns.step;
  for (const [name, kept] of Object.entries(columns)) {
    const nothing = COUNTS.has(name) ? 0 : null;
    if (name === "step" || name === "by_request" || name === "thresholds") continue;
    if (Array.isArray(kept)) {
      const isEmpty = ARRIVALS.includes(name) && !kept.length && !(name in column);
      if (!isEmpty) put(kept, at, column[name], nothing);
    } else putNamed(kept, at, column[name] ?? {}, nothing);
  }
  for (let n = 0; n < Math.max(columns.thresholds.length, thresholds.length); n += 1) {
    put((columns.thresholds[n] ??= []), at, thresholds[n], null);
  }
  for (const name of new Set([...Object.keys(columns.by_request), ...Object.keys(requests)])) {
    const kept = (columns.by_request[name] ??= Object.fromEntries(
      OF_REQUEST.map((figure) => [figure, []])));
    OF_REQUEST.forEach((figure, n) =>
      put(kept[figure], at, requests[name]?.[n], n < 2 ? 0 : null));
  }
}

function putNamed(kept, at, values, nothing) {
  for (const name of new Set([...Object.keys(kept), ...Object.keys(values)])) {
    put((kept[name] ??= []), at, values[name], nothing);
  }
}

function put(kept, at, value, nothing) {
  while (kept.length < at) kept.push(nothing);
  kept[at] = value ?? nothing;
}

// How a run stands: [word, class of the style sheet].
export function standing({ result, thresholds, status }) {
  if (result) return cameTo(result);
  const verdicts = new Set(thresholds.map(({ verdict }) => verdict));
  if (verdicts.has("fail")) return ["failing", "fail"];
  if (verdicts.has("warn")) return ["warning", "warn"];
  if (verdicts.has("pass")) return ["passing so far", "pass"];
  return [status.state === "preparing" ? "preparing" : "no verdict yet", "soft"];
}

const STOPPED = 130; // as exit code: somebody asked the run to end

export function cameTo({ verdict, exit_code: code }) {
  if (code === STOPPED) return ["stopped", "warn"];
  return [verdict, verdict === "pass" ? "pass" : "fail"];
}
