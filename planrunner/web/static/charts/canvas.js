// Canvases whose unit is a pixel of the page, and that have the pixels of the screen. Their sizes
// come from an observer: asking an element for its size lays the whole page out first.

import { color, onColors } from "./colors.js";

const sizes = new WeakMap();
const drawings = new WeakMap();
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect: { width, height } } of entries) {
    sizes.set(target, { width, height });
    drawings.get(target)();
  }
});

// Calls `draw` whenever the size changes, at first when the canvas is in the page, and when colours do.
export function whenSized(canvas, draw) {
  drawings.set(canvas, draw);
  observer.observe(canvas);
  onColors(draw);
}

// Empties a canvas; returns null while it is nowhere to be seen.
export function penOf(canvas) {
  const { width, height } = sizes.get(canvas) ?? {};
  if (!width || !height) return null;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = `11px ${color("font")}`;
  pen.lineJoin = "round";
  return { pen, width, height };
}
