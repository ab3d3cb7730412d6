// What charts over time share: the stretch of time, the cursor, phases and stages as bands.

import { nearest } from "./scale.js";

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
    this.isPending = false;
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
  // All charts in one frame: a moment is one line through all of them.
  draw() {
    if (this.isPending) return;
    this.isPending = true;
    requestAnimationFrame(() => {
      this.isPending = false;
      for (const chart of this.charts) chart.draw();
      for (const listen of this.listeners) listen();
    });
  }
}
