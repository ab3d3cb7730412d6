// Numbers as people write them; reports write them in the same way.

// Made once: making one takes longer than a hundred uses of it.
const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

const digits = (value) => significant.format(value);

function scaled(value, units) {
  const [factor, unit] = units.find(([least]) => Math.abs(value) >= least) ?? units.at(-1);
  return `${digits(value / factor)}${unit}`;
}

const bytes = [[1e9, " GB"], [1e6, " MB"], [1e3, " kB"], [1, " B"]];

const units = {
  ms: (value) => value === 0 ? "0 ms"
    : scaled(value, [[6e4, " min"], [1e3, " s"], [1, " ms"], [1e-3, " us"]]),
  "/s": (value) => `${digits(value)}/s`,
  share: (value) => `${digits(value * 100)} %`,
  bytes: (value) => scaled(value, bytes),
  "bytes/s": (value) => `${scaled(value, bytes)}/s`,
  count: (value) => whole.format(value),
};

export const format = (value, unit) =>
  value === null || value === undefined ? "–" : (units[unit] ?? digits)(value);

// 1:05, 12:00, 1:02:03
export function clock(seconds) {
  const all = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

export const plural = (count, word, words = `${word}s`) =>
  `${format(count, "count")} ${count === 1 ? word : words}`;

export function when(iso) {
  const moment = new Date(iso);
  return Number.isNaN(moment.valueOf()) ? iso : moment.toLocaleString("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });
}
