// Colours of the style sheet for canvases; read again when the reader's system changes to dark.

const NAMES = ["ink", "soft", "line", "edge", "paper", "band", "pass", "warn", "fail",
  "c1", "c2", "c3", "c4", "c5", "c6", "f1", "f2", "f3", "f4", "f5", "f6"];
const listeners = [];
let found = null;

function read() {
  const style = getComputedStyle(document.documentElement);
  const colors = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return { ...Object.fromEntries(colors), font: getComputedStyle(document.body).fontFamily };
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  found = null;
  listeners.forEach((listen) => listen());
});

export const color = (name) => (found ??= read())[name];
export const onColors = (listen) => listeners.push(listen);
