// The generator, whose health says whether the numbers can be trusted; its workers; and services
// and monitors.

import { Sparkline } from "../charts/sparkline.js";
import { h, hide, keep, say, words } from "../dom.js";
import { format } from "../numbers.js";

export class Machines {
  constructor() {
    this.health = h("small");
    this.doubts = h("ul", { class: "reasons warn" });
    this.generator = h("ul", { class: "gauges" });
    this.workers = h("ul", { class: "gauges workers" });
    this.workersHead = h("h3", {}, "Workers");
    this.services = h("ul", { class: "gauges" });
    this.none = h("p", { class: "soft" }, "The plan watches no service and has no monitors.");
    this.elements = [
      h("section", { "aria-labelledby": "services" },
        h("h2", { id: "services" }, "Services and monitors"), this.services, this.none),
      h("section", { "aria-labelledby": "generator" },
        h("h2", { id: "generator" }, "Generator", this.health), this.doubts, this.generator,
        this.workersHead, this.workers),
    ];
  }

  update({ run, columns, generator, workers, status, lost }) {
    const doubts = generator.doubts ?? [];
    say(this.health, doubts.length ? "" : status.state === "preparing" ? "" : "valid so far");
    keep(this.doubts, doubts, (text) => text, (text) => h("li", {}, words(text)));
    hide(this.doubts, !doubts.length);
    gauges(this.generator, [
      { name: "delay of timers, at most", unit: "ms", values: columns.lag },
      { name: "CPU", unit: "share", values: columns.cpu },
      ...(generator.open_files ? [{ name: "open files", unit: "count",
        values: [generator.open_files] }] : []),
      ...(lost ? [{ name: "seconds that did not reach this page", unit: "count", values: [lost] }] : []),
    ]);
    const several = new Set(workers.map(({ host }) => host)).size > 1;
    gauges(this.workers, workers.map((one) => (
      { name: workerName(one, several), unit: "share", values: [one.cpu], text: workerText(one) })));
    hide(this.workersHead, !workers.length);
    hide(this.workers, !workers.length);
    gauges(this.services, run.gauges.map(({ name, unit }) =>
      ({ name, unit, values: columns.gauges[name] ?? [] })));
    hide(this.services, !run.gauges.length);
    hide(this.none, run.gauges.length > 0);
  }
}

function workerName({ name, host, alive, silent, slowest, fate }, several) {
  const state = alive ? [silent && "silent", slowest && "slowest"].filter(Boolean).join(", ") : fate || "gone";
  const place = several ? `${name} on ${host}` : name;
  return state ? `${place}: ${state}` : place;
}

function workerText({ users, rate, cpu, late, lag, open_files: files, clock_error: error }) {
  return [`${format(users, "count")} users`, `${format(rate, "count")}/s`, `${format(cpu, "share")} CPU`,
    late && `${format(late, "ms")} late (p99)`, `timers ${format(lag, "ms")} late`,
    files && `${format(files, "count")} files`, error && `clock ±${format(error, "ms")}`,
  ].filter(Boolean).join(" · ");
}

function gauges(list, all) {
  keep(list, all, ({ name }) => name, make, (item, { unit, values, text }) => {
    const known = values.filter((one) => one !== null);
    say(item.parts.value, text ?? format(known.at(-1), unit));
    if (values.length > 1) item.parts.spark.show(values);
  });
}

function make({ name }) {
  const parts = { spark: new Sparkline(), value: h("span", { class: "num" }) };
  const item = h("li", {}, h("span", { class: "name" }, name), parts.spark.element, parts.value);
  return Object.assign(item, { parts });
}
