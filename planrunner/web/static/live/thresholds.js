// Each threshold: how it stands, what was observed, its limit, and how it came to that.

import { Sparkline } from "../charts/sparkline.js";
import { h, keep, say } from "../dom.js";

const WORST_FIRST = ["fail", "warn", "no_data", "pass", "n/a"];
const WORDS = { no_data: "no data" };
const TONES = { fail: "fail", warn: "warn", pass: "pass" };

export class Thresholds {
  constructor() {
    this.count = h("span", { class: "soft" });
    this.list = h("ol", { tabindex: "0", "aria-label": "Thresholds, the worst first" });
    this.told = h("p", { class: "only-read", "aria-live": "polite" });
    this.before = new Map();
    this.element = h("section", { class: "panel thresholds", "aria-labelledby": "thresholds" },
      h("header", {}, h("h2", { id: "thresholds" }, "Thresholds"), this.count), this.list, this.told);
  }

  update(state) {
    const judgements = state.result?.judgements;
    const items = joined(state.thresholds.map((one, n) => ({ ...one, ...judgedAs(judgements?.[n]), n,
      values: state.columns.thresholds[n] ?? [] })));
    items.sort((a, b) => rank(a) - rank(b) || a.n - b.n);
    keep(this.list, items, ({ n }) => n, make, (item, one) => this.fill(item, one));
    this.say(items, state);
  }

  fill(item, { text, verdict, observed, limit, limits, value, limit_value: at, values, reason }) {
    item.className = TONES[verdict] ?? "soft";
    const { parts } = item;
    say(parts.text, text);
    say(parts.badge, WORDS[verdict] ?? verdict);
    parts.badge.className = `badge ${TONES[verdict] ?? "soft"}`;
    say(parts.observed, observed || "–");
    say(parts.limit, !limit ? "" : limits ? `limits ${limits.map(whole).join(" and ")}`
      : `limit ${whole(limit)}`);
    item.title = reason ?? "";
    const known = value === null ? values : values.length ? values : [value];
    parts.spark.show(known, { limit: at, tone: TONES[verdict] ?? "soft" });
  }

  say(items, { thresholds, run }) {
    const count = (verdict) => items.filter((one) => one.verdict === verdict).length;
    const parts = ["fail", "warn", "pass"].filter(count).map((verdict) => `${count(verdict)} ${verdict}`);
    say(this.count, run.default_threshold ? "default, the plan has none" : parts.join(" · ")
      || (thresholds.length ? "no data yet" : "none"));
    const turned = items.filter(({ n, verdict }) =>
      this.before.has(n) && this.before.get(n) !== verdict && verdict !== "no_data");
    if (turned.length) {
      say(this.told, turned.map(({ text, verdict, observed }) =>
        `${text}: ${verdict}, ${observed}`).join(". "));
    }
    for (const { n, verdict } of items) this.before.set(n, verdict);
  }
}

// The two of a `{warn: …, fail: …}` are one threshold with two limits, and the worse verdict.
function joined(all) {
  const first = new Map();
  for (const one of all) {
    const other = one.pair ? first.get(one.pair) : undefined;
    if (!other) first.set(one.pair || `alone ${one.n}`, one);
    else {
      const worse = rank(one) < rank(other) ? one : other;
      first.set(one.pair, { ...worse, n: other.n, limits: [other.limit, one.limit] });
    }
  }
  return [...first.values()];
}

const whole = (amount) => amount.replaceAll(" ", "\u00a0"); // no line ends before a unit

const rank = ({ verdict }) => WORST_FIRST.indexOf(verdict);

function judgedAs(judgement) {
  if (!judgement) return {};
  const { verdict, observed, limit, reason } = judgement;
  return { verdict, observed, limit, reason };
}

function make() {
  const parts = { text: h("span", { class: "text code" }), badge: h("span"), observed: h("b"),
    limit: h("span"), spark: new Sparkline() };
  const item = h("li", {}, parts.text, parts.badge,
    h("span", { class: "observed" }, parts.observed, " ", parts.limit), parts.spark.element);
  return Object.assign(item, { parts });
}
