// What charts over time share: the stretch of time, the cursor, phases and stages as bands.

import { nearest } from "./scale.js";

const FRAME_MS = 8;
const LEAST_S = 20; // that are shown of a run that has just begun

export class Timeline {
  constructor() {
    this.charts = [];
    this.times = []; // ends of the intervals
    this.step = 1;
    this.isOver = false;
    this.bands = []; // { from, to, warmup, stages: [second] }
    this.moment = null; // where the cursor is; null: at the end
    this.listeners = [];
    this.isPending = this.isStale = false;
  }

  get to() { return Math.max(this.times.at(-1) ?? 0, this.isOver ? 1 : LEAST_S); }

  // The place of the interval that legends show; -1 before the first.
  get place() {
    if (!this.times.length) return -1;
    return this.moment === null ? this.times.length - 1 : nearest(this.times, this.moment);
  }

  point(second) {
    const at = second === null || !this.times.length ? null
      : this.times[nearest(this.times, second)];
    if (at === this.moment) return;
    this.moment = at;
    this.draw();
  }

  // Soon, and once for however many reasons there are until then; a hidden page draws nothing.
  draw() {
    this.isStale = true;
    if (this.isPending) return;
    this.isPending = true;
    requestAnimationFrame(() => this.drawFrom(0));
  }

  // What takes longer than a frame has goes on in the next one.
  drawFrom(first) {
    const begin = performance.now();
    if (first === 0) this.isStale = false;
    let n = first;
    while (n < this.charts.length && performance.now() - begin < FRAME_MS) {
      this.charts[n].draw();
      n += 1;
    }
    if (n < this.charts.length) {
      requestAnimationFrame(() => this.drawFrom(n));
      return;
    }
    this.isPending = false;
    for (const listen of this.listeners) listen();
    if (this.isStale) this.draw(); // there was news meanwhile
  }
}
