// The way of a run: its phases and stages, how far it is, and the time left. Phases that run beside
// each other are below each other.

import { h, keep, mark, say } from "../dom.js";
import { clock } from "../numbers.js";

const LANE_REM = 1.5;
const UNKNOWN_S = 60; // as long as this a phase is drawn of which nobody knows how long it takes

export class Way {
  constructor() {
    this.list = h("ol", { class: "phases", "aria-label": "Phases" });
    this.now = h("b");
    this.times = h("p", { class: "times" }, this.now);
    this.left = h("span");
    this.times.append(" ", this.left);
    this.element = h("div", { class: "way" }, this.list, this.times);
  }

  update({ run, status, phases }) {
    const ran = new Map(phases.map((one) => [one.name, one]));
    this.places ??= this.place(run.phases);
    keep(this.list, run.phases, ({ name }) => name, (phase) => this.item(phase),
      (item, phase) => this.progress(item, phase, ran.get(phase.name), status));
    say(this.now, status.state === "preparing" ? "preparing" : clock(status.second));
    say(this.left, leftOf(status));
  }

  // Of phases in a row there is only their length: none is too narrow to be seen.
  place(phases) {
    const lanes = [];
    const ends = phases.map((one) => one.planned_begin_s + Math.max(one.planned_s ?? UNKNOWN_S, 1));
    const whole = Math.max(...ends, 1);
    const found = new Map();
    const inOrder = phases.map((one, n) => ({ ...one, end: ends[n] }))
      .sort((a, b) => a.planned_begin_s - b.planned_begin_s);
    for (const { name, planned_begin_s: begin, end } of inOrder) {
      const free = lanes.findIndex((last) => last <= begin);
      const lane = free < 0 ? lanes.length : free;
      lanes[lane] = end;
      found.set(name, { left: `${begin / whole * 100}%`, width: `${(end - begin) / whole * 100}%`,
        top: `${lane * LANE_REM}rem` });
    }
    if (lanes.length < 2) return new Map();
    this.list.classList.add("lanes");
    this.list.style.height = `calc(${lanes.length * LANE_REM}rem + 2px)`;
    return found;
  }

  item(phase) {
    const parts = { gone: h("span", { class: "gone" }), name: h("span", { class: "name" }) };
    const item = Object.assign(h("li", {}, parts.gone), { parts });
    let at = 0;
    for (const stage of phase.stages.slice(0, -1)) {
      at += stage.planned_s;
      if (at === 0) continue;
      const tick = h("span", { class: "tick" });
      tick.style.left = `${at / Math.max(phase.planned_s, 1e-9) * 100}%`;
      item.append(tick);
    }
    item.append(parts.name);
    item.title = [phase.name, ...phase.words].join("\n");
    const place = this.places.get(phase.name) ?? { flexGrow: String(Math.max(phase.planned_s ?? UNKNOWN_S, 1)) };
    Object.assign(item.style, place);
    return item;
  }

  progress(item, phase, ran, { second, stages, warmup }) {
    const isNow = ran?.end_s === null;
    const isOver = Boolean(ran) && !isNow;
    const gone = ran ? (ran.end_s ?? second) - ran.begin_s : 0;
    const planned = phase.planned_s === null ? Infinity : Math.max(phase.planned_s, 1);
    const share = isOver ? 1 : Math.min(1, gone / planned);
    item.parts.gone.style.width = `${share * 100}%`;
    item.classList.toggle("over", isOver);
    mark(item, "aria-current", isNow ? "step" : null);
    const stage = stages[phase.name] ?? "";
    const where = warmup ? "warm-up" : /^\d+$/.test(stage) ? `stage ${stage}` : stage;
    say(item.parts.name, isNow && where ? `${phase.name} · ${where}` : phase.name);
  }
}

function leftOf({ state, left_s: left, stopping }) {
  if (state === "ended") return "ended";
  if (state === "reporting") return "writing reports";
  if (state === "stopping") {
    return stopping?.most_s ? `stopping, at most ${clock(stopping.most_s)} more` : "stopping";
  }
  if (state === "preparing") return "";
  if (left === null) return "gone";
  return left > 0 ? `gone · ${clock(left)} left` : "gone · finishing";
}
