// Which values an axis names, and which of sorted values is nearest.

const STEPS = [1, 2, 2.5, 5, 10];
const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

// From 0 in at most `count` round steps to the least one that is not below `most`. No step is
// smaller than `least`: there are no half users.
export function ticksUpTo(most, count, least = 0) {
  const rough = (most > 0 ? most : 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, STEPS.find((one) => one * power >= rough * (1 - 1e-9)) * power);
  const steps = Math.max(1, Math.ceil((most > 0 ? most : 1) / step - 1e-9));
  return Array.from({ length: steps + 1 }, (_, n) => Number((n * step).toPrecision(12)));
}

export function ticksOfTime(to, count) {
  const step = TIMES.find((one) => one >= to / count) ?? TIMES.at(-1);
  return Array.from({ length: Math.floor(to / step) + 1 }, (_, n) => n * step);
}

export function nearest(sorted, wanted) {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low > 0 && wanted - sorted[low - 1] <= sorted[low] - wanted ? low - 1 : low;
}
