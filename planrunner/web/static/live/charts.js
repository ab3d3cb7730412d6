// The four charts of the first screen: load, users, latency, failures. Of all requests, or of one.

import { TimeChart } from "../charts/chart.js";
import { Timeline } from "../charts/timeline.js";
import { h, hide, mark, say } from "../dom.js";
import { clock } from "../numbers.js";

const PERCENTILES = [["p99", "f1"], ["p95", "c3"], ["p50", "c1"]];
const CLASS_COLORS = ["c2", "c1", "c3", "c5", "c4", "c6"];
const FAILURE_COLORS = ["f1", "f2", "f3", "f4", "f5", "f6"];
const LIMIT = /^(p50|p95|p99)(?: of (.+?))? <=? \S+$/; // those that latencies of a second can show

export class Charts {
  // choose("") shows all requests again.
  constructor(choose) {
    const timeline = this.timeline = new Timeline();
    this.load = new TimeChart(timeline,
      { id: "load", title: "Load", unit: "/s", hasNames: true });
    this.users = new TimeChart(timeline, { id: "users", title: "Users", unit: "count" });
    this.latency = new TimeChart(timeline, { id: "latency", title: "Latency", unit: "ms" });
    this.failures = new TimeChart(timeline,
      { id: "failures", title: "Failures", unit: "/s", hasTimes: true });
    this.only = h("button", { type: "button", class: "only", hidden: true, id: "only",
      onclick: () => choose("") }, h("span"), "✕");
    this.slider = h("input", { type: "range", min: "0", value: "0", id: "moment",
      oninput: () => timeline.point(timeline.times[Number(this.slider.value)]) });
    this.shown = h("output", { for: "moment" });
    this.element = h("section", { class: "panel charts", "aria-labelledby": "charts" },
      h("div", { class: "charts-bar" }, h("h2", { id: "charts" }, "Over time"), this.only,
        h("span", { class: "push" }), h("label", {}, "Moment", this.slider), this.shown),
      [this.load, this.users, this.latency, this.failures].map(({ element }) => element));
    timeline.listeners.push(() => this.showMoment());
  }

  update({ columns, phases, thresholds, status, changes }, request) {
    const { timeline } = this;
    const { t, step } = columns;
    const end = endOf(status, phases);
    timeline.times = withoutStub(t, end); // of now: others grow until the next update
    timeline.step = step;
    timeline.isOver = end < Infinity;
    timeline.bands = phases.map((one) => ({ name: one.name, from: one.begin_s,
      to: one.end_s ?? status.second, warmup: one.warmup_end_s,
      stages: [...one.stages.slice(1).map(({ begin_s: at }) => at),
        ...changes.filter(({ phase }) => phase === one.name).map(({ t: at }) => at)] }));
    const width = (n) => Math.min(step, Math.min(t[n], end) - (t[n - 1] ?? 0));
    const rate = (values) =>
      values.map((value, n) => value === null ? null : value / width(n));
    const found = (request && columns.by_request[request]) || columns;
    this.load.show(loadOf(columns, found, rate, request));
    this.users.show(usersOf(columns));
    this.latency.show(PERCENTILES.map(([name, color]) =>
      ({ key: name, name, color, kind: "line", values: found[name] })), limitsOf(thresholds, request));
    this.failures.show(failuresOf(columns, found, rate, request));
    this.showRequest(request);
  }

  showRequest(request) {
    hide(this.only, !request);
    say(this.only.firstChild, `Only ${request}`);
    mark(this.only, "aria-label", request ? `Only ${request}: show all requests again` : null);
  }

  showMoment() {
    const { times, moment, place } = this.timeline;
    this.slider.max = String(Math.max(times.length - 1, 0));
    this.slider.disabled = times.length < 2;
    const isFocused = document.activeElement === this.slider && moment !== null;
    if (!isFocused) this.slider.value = String(Math.max(place, 0));
    const told = moment === null ? "now" : clock(moment);
    mark(this.slider, "aria-valuetext", told);
    say(this.shown, told);
  }
}

// Where the last interval ends that a load was in: seldom at a whole second.
function endOf({ state }, phases) {
  const isOver = state === "reporting" || state === "ended";
  return isOver ? Math.max(0, ...phases.map((one) => one.gone_s ?? one.end_s ?? 0)) : Infinity;
}

// Of less than half an interval no rate says anything; reports leave it out as well.
function withoutStub(t, end) {
  const length = t.length > 1 ? t.at(-1) - t.at(-2) : 1;
  const isStub = t.length > 1 && end - t.at(-2) < length / 2;
  return t.slice(0, isStub ? -1 : t.length);
}

// What was asked for is dashed: users of a closed model, arrivals of an open one.
function loadOf(columns, found, rate, request) {
  const series = [{ key: "got", name: "requests", color: "c1", kind: "area",
    values: rate(found.requests) }];
  if (request || !columns.due.length) return series;
  series.push({ key: "started", name: "iterations", color: "c2", kind: "line",
    values: rate(columns.started) });
  series.push({ key: "asked", name: "asked for", color: "ink", kind: "line", dashed: true,
    values: columns.asked_rate });
  if (columns.dropped.some(Boolean)) {
    series.push({ key: "dropped", name: "dropped", color: "f1", kind: "line",
      values: rate(columns.dropped) });
  }
  return series;
}

// Users that a rate needs are not asked for.
function usersOf({ users, asked_users: asked, due }) {
  const series = Object.entries(users).map(([name, values], n) => ({ key: `of ${name}`, name,
    color: CLASS_COLORS[n % CLASS_COLORS.length], kind: "stack", values }));
  if (asked.some((one) => one !== null)) {
    series.push({ key: "asked", name: due.length ? "asked for, closed" : "asked for", color: "ink",
      kind: "line", dashed: true, values: asked });
  }
  return series;
}

function failuresOf(columns, found, rate, request) {
  if (request) {
    return [{ key: "failed", name: "failed", color: "f1", kind: "stack",
      values: rate(found.failed) }];
  }
  return Object.entries(columns.failures).map(([name, values], n) => ({ key: `of ${name}`, name,
    color: FAILURE_COLORS[Math.min(n, FAILURE_COLORS.length - 1)], kind: "stack",
    values: rate(values) }));
}

function limitsOf(thresholds, request) {
  return thresholds.flatMap(({ text, limit_value: limit }) => {
    const [, figure, of = ""] = LIMIT.exec(text) ?? [];
    const isMeant = of === request || of === JSON.stringify(request);
    return figure && isMeant && limit !== null ? [{ at: limit, text }] : [];
  });
}
