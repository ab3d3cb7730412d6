// A line as high as a word: how a figure came to what it is, and where its limit is.

import { h } from "../dom.js";
import { penOf, whenSized } from "./canvas.js";
import { color } from "./colors.js";

const MOST = 120; // values that so small a line can show
const NEAR = 3; // a limit further away than three times the highest value is not drawn

export class Sparkline {
  constructor() {
    this.element = h("canvas", { class: "spark", "aria-hidden": "true" });
    this.values = [];
    whenSized(this.element, () => this.draw());
  }

  show(values, { limit = null, tone = "c1" } = {}) {
    Object.assign(this, { values: values.slice(-MOST), limit, tone });
    this.draw();
  }

  draw() {
    const found = penOf(this.element);
    const { values, limit, tone } = this;
    const known = values.filter((one) => one !== null);
    if (!found || !known.length) return;
    const { pen, width, height } = found;
    const peak = Math.max(...known);
    const isNear = limit !== null && limit <= peak * NEAR;
    const most = Math.max(peak, isNear ? limit : 0) || 1;
    const x = (n) => 2 + n / Math.max(values.length - 1, 1) * (width - 5);
    const y = (value) => height - 3 - Math.max(0, value) / most * (height - 6);
    if (isNear) {
      pen.strokeStyle = color("soft");
      pen.setLineDash([2, 2]);
      line(pen, [[0, y(limit)], [width, y(limit)]]);
      pen.setLineDash([]);
    }
    pen.strokeStyle = pen.fillStyle = color(tone);
    pen.lineWidth = 1.4;
    line(pen, values.map((value, n) => value === null ? null : [x(n), y(value)]));
    const last = values.length - 1;
    if (values[last] === null) return;
    pen.beginPath();
    pen.arc(x(last), y(values[last]), 2, 0, 7);
    pen.fill();
  }
}

function line(pen, points) {
  pen.beginPath();
  let isDown = false;
  for (const point of points) {
    if (point && isDown) pen.lineTo(...point);
    else if (point) pen.moveTo(...point);
    isDown = point !== null;
  }
  pen.stroke();
}
