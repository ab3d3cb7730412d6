// One chart over time on a canvas. It has at most some hundred intervals, which take a millisecond
// to draw, so all of it is drawn anew at each change: nothing is kept that could go stale.

import { h, keep, mark, say } from "../dom.js";
import { clock, format } from "../numbers.js";
import { penOf, whenSized } from "./canvas.js";
import { color } from "./colors.js";
import { ticksOfTime, ticksUpTo } from "./scale.js";

const LEFT = 60; // for the numbers of the axis
const RIGHT = 8;
const TOP = 8;
const BELOW = 20; // for the times, below the last of the charts
const HIGH = 12; // as high as a line of text
const NEAR = 2; // a limit that is further away than twice what was measured is not drawn

// A series: { key, name, color, values, kind: "line" | "step" | "area" | "stack", dashed }.
export class TimeChart {
  constructor(timeline, { id, title, unit, hasTimes = false, hasNames = false }) {
    Object.assign(this, { timeline, title, unit, hasTimes, hasNames, width: 0 });
    this.series = [];
    this.limits = []; // { at, text }
    this.hidden = new Set();
    this.canvas = h("canvas", { role: "img", "aria-label": title });
    this.legend = h("ul", { class: "legend" });
    this.heading = h("h3", {}, title);
    this.element = h("figure", { id: `chart-${id}`, class: hasTimes ? "chart timed" : "chart" },
      h("div", { class: "plot" }, this.canvas), h("figcaption", {}, this.heading, this.legend));
    for (const name of ["pointermove", "pointerdown"]) {
      this.canvas.addEventListener(name, (event) => this.point(event));
    }
    this.canvas.addEventListener("pointerleave", () => timeline.point(null));
    timeline.charts.push(this);
    whenSized(this.canvas, () => timeline.draw());
  }

  show(series, limits = []) {
    Object.assign(this, { series, limits });
    this.timeline.draw();
  }

  point({ offsetX }) {
    const share = Math.min(1, Math.max(0, (offsetX - LEFT) / (this.width - LEFT - RIGHT)));
    this.timeline.point(share * this.timeline.to);
  }

  draw() {
    this.drawLegend();
    const found = penOf(this.canvas);
    if (!found) return;
    const { pen, width, height } = found;
    this.width = width;
    const lines = this.lines();
    const ticks = ticksUpTo(this.most(lines), height > 130 ? 4 : 3,
      this.unit === "count" ? 1 : 0);
    const area = { left: LEFT, right: width - RIGHT, top: TOP, ticks,
      bottom: height - (this.hasTimes ? BELOW : 7) };
    area.x = (t) => LEFT + t / this.timeline.to * (area.right - LEFT);
    area.y = (v) => area.bottom - v / ticks.at(-1) * (area.bottom - TOP);
    this.drawBands(pen, area);
    this.drawAxes(pen, area);
    for (const line of lines) this.drawLine(pen, area, line);
    if (this.hasNames) this.drawNames(pen, area);
    for (const limit of this.limits) if (limit.at <= ticks.at(-1)) drawLimit(pen, area, limit);
    if (this.timeline.moment !== null) this.drawCursor(pen, area, lines);
  }

  // The series that are not hidden, those of a stack on top of each other.
  lines() {
    const { length } = this.timeline.times;
    let floors = null;
    return this.series.filter(({ key }) => !this.hidden.has(key)).map((one) => {
      const values = one.values.slice(0, length);
      if (one.kind !== "stack") return { ...one, values, tops: values };
      const below = floors;
      floors = values.map((value, n) => (value ?? 0) + (below?.[n] ?? 0));
      return { ...one, values, tops: floors, floors: below };
    });
  }

  most(lines) {
    let most = 0;
    for (const { tops } of lines) for (const top of tops) if (top > most) most = top;
    const near = this.limits.map(({ at }) => at).filter((at) => at <= most * NEAR);
    return Math.max(most, ...near);
  }

  drawBands(pen, { left, right, top, bottom, x }) {
    this.timeline.bands.forEach((band, n) => {
      const [from, to] = [x(band.from), Math.min(right, x(band.to))];
      if (from >= right) return;
      pen.fillStyle = color("band");
      if (n % 2 === 0) pen.fillRect(from, top, to - from, bottom - top);
      if (band.warmup > band.from) {
        hatch(pen, { from, to: Math.min(right, x(band.warmup)), top, bottom });
      }
      pen.strokeStyle = color("edge");
      if (from > left) stroke(pen, [[from, top], [from, bottom]], 1);
      pen.setLineDash([2, 3]);
      for (const at of band.stages.map(x)) {
        if (at > left && at < right) stroke(pen, [[at, top], [at, bottom]], 1);
      }
      pen.setLineDash([]);
    });
  }

  // Of phases, as far as there is room; below each other where phases run beside each other.
  drawNames(pen, { right, top, x }) {
    Object.assign(pen, { textBaseline: "top", textAlign: "left", lineWidth: 3 });
    pen.strokeStyle = color("paper");
    pen.fillStyle = color("soft");
    const ends = [];
    for (const { name, from, to } of this.timeline.bands) {
      const left = x(from) + 5;
      const text = fitted(pen, name, Math.min(right, x(to)) - left - 3);
      if (!text) continue;
      const free = ends.findIndex((end) => end < left);
      const row = free < 0 ? ends.length : free;
      ends[row] = left + pen.measureText(text).width + 5;
      pen.strokeText(text, left, top + 3 + row * HIGH);
      pen.fillText(text, left, top + 3 + row * HIGH);
    }
  }

  drawAxes(pen, { left, right, bottom, ticks, x, y }) {
    pen.fillStyle = color("soft");
    pen.strokeStyle = color("line");
    Object.assign(pen, { textBaseline: "middle", textAlign: "right" });
    for (const tick of ticks) {
      const at = Math.round(y(tick)) + 0.5;
      stroke(pen, [[left, at], [right, at]], 1);
      pen.fillText(format(tick, this.unit), left - 7, at);
    }
    if (!this.hasTimes) return;
    Object.assign(pen, { textBaseline: "top", textAlign: "center" });
    for (const tick of ticksOfTime(this.timeline.to, (right - left) / 80)) {
      pen.fillText(clock(tick), Math.min(Math.max(x(tick), left + 8), right - 14), bottom + 6);
    }
  }

  drawLine(pen, { x, y, bottom }, { tops, values, floors, kind, color: name, dashed }) {
    const { times, step } = this.timeline;
    const isBlock = kind === "step" || kind === "stack";
    pen.strokeStyle = pen.fillStyle = color(name);
    pen.setLineDash(dashed ? [5, 4] : []);
    const isThere = (n) => kind !== "stack" || values[n] > 0; // of nothing a stack has no line
    for (const [from, to] of stretchesOf(tops, isThere)) {
      const [line, floor] = [[], []];
      for (let n = from; n < to; n += 1) {
        const [begin, end] = [x(Math.max(times[n - 1] ?? 0, times[n] - step)), x(times[n])];
        if (isBlock) line.push([begin, y(tops[n])]);
        line.push([end, y(tops[n])]);
        if (isBlock) floor.push([begin, floors ? y(floors[n]) : bottom]);
        floor.push([end, floors ? y(floors[n]) : bottom]);
      }
      pen.globalAlpha = kind === "stack" ? 0.5 : 0.14;
      if (kind === "stack" || kind === "area") fill(pen, [...line, ...floor.reverse()]);
      pen.globalAlpha = 1;
      if (line.length === 1) pen.fillRect(line[0][0] - 1.5, line[0][1] - 1.5, 3, 3);
      stroke(pen, line, kind === "stack" ? 1 : 1.5);
    }
    pen.setLineDash([]);
  }

  drawCursor(pen, { top, bottom, x, y }, lines) {
    const { place, times } = this.timeline;
    const at = x(times[place]);
    pen.strokeStyle = color("ink");
    pen.globalAlpha = 0.6;
    stroke(pen, [[at, top], [at, bottom]], 1);
    pen.globalAlpha = 1;
    for (const { tops, kind, color: name } of lines) {
      if (kind === "stack" || tops[place] === null || tops[place] === undefined) continue;
      pen.fillStyle = color(name);
      pen.beginPath();
      pen.arc(at, y(tops[place]), 3, 0, 7);
      pen.fill();
    }
  }

  // Buttons, so that keys and screen readers reach them. Values are those at the cursor, or the last.
  drawLegend() {
    const { place, times } = this.timeline;
    const value = (one) => place < 0 ? "" : format(one.values[place], this.unit);
    keep(this.legend, this.series, ({ key }) => key, (one) => this.entry(one), (item, one) => {
      say(item.parts.value, value(one));
      mark(item.parts.button, "aria-pressed", String(!this.hidden.has(one.key)));
    });
    const shown = this.series.filter(({ key }) => !this.hidden.has(key));
    const told = shown.map((one) => `${one.name} ${value(one)}`).join(", ") || "nothing";
    mark(this.canvas, "aria-label",
      place < 0 ? `${this.title}: nothing yet` : `${this.title} at ${clock(times[place])}: ${told}`);
  }

  entry(one) {
    const button = h("button", { type: "button", onclick: () => this.toggle(one.key), title: one.name },
      h("span", { class: one.dashed ? "swatch dashed" : "swatch", "data-color": one.color }),
      h("span", { class: "name" }, one.name));
    const value = h("b");
    return Object.assign(h("li", {}, button, value), { parts: { button, value } });
  }

  toggle(key) {
    if (!this.hidden.delete(key)) this.hidden.add(key);
    if (this.series.every((one) => this.hidden.has(one.key))) this.hidden.clear();
    this.timeline.draw();
  }
}

// Where values are: across a gap no line is made up.
function* stretchesOf(tops, isThere) {
  let from = -1;
  for (let n = 0; n <= tops.length; n += 1) {
    const isValue = n < tops.length && tops[n] !== null && tops[n] !== undefined && isThere(n);
    if (isValue && from < 0) from = n;
    if (!isValue && from >= 0) {
      yield [from, n];
      from = -1;
    }
  }
}

function path(pen, points) {
  pen.beginPath();
  points.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
}

function stroke(pen, points, width) {
  pen.lineWidth = width;
  path(pen, points);
  pen.stroke();
}

function fill(pen, points) {
  path(pen, points);
  pen.fill();
}

function fitted(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let size = text.length;
  while (size > 2 && pen.measureText(`${text.slice(0, size)}…`).width > room) size -= 1;
  return size > 2 ? `${text.slice(0, size)}…` : "";
}

function hatch(pen, { from, to, top, bottom }) {
  pen.save();
  pen.beginPath();
  pen.rect(from, top, to - from, bottom - top);
  pen.clip();
  pen.strokeStyle = color("line");
  for (let at = from - (bottom - top); at < to; at += 7) {
    stroke(pen, [[at, bottom], [at + bottom - top, top]], 1);
  }
  pen.restore();
}

function drawLimit(pen, { left, right, top, y }, { at, text }) {
  pen.strokeStyle = color("fail");
  pen.setLineDash([1, 3]);
  stroke(pen, [[left, y(at)], [right, y(at)]], 1.4);
  pen.setLineDash([]);
  const isHigh = y(at) < top + HIGH; // then its name has no room above it
  Object.assign(pen, { textAlign: "right", textBaseline: isHigh ? "top" : "bottom", lineWidth: 3 });
  const place = [right - 4, y(at) + (isHigh ? 3 : -2)];
  pen.strokeStyle = color("paper");
  pen.strokeText(text, ...place);
  pen.fillStyle = color("fail");
  pen.fillText(text, ...place);
}
