// What failed: how often and why, and the first exchanges of each kind, sent and received.

import { h, hide, keep, say } from "../dom.js";
import { clock, format, plural } from "../numbers.js";
import { SortedTable } from "../table.js";

export class Failures {
  constructor() {
    this.count = h("small");
    this.table = new SortedTable({
      label: "Failures by request and kind",
      key: ({ request, kind }) => `${kind}\n${request}`,
      columns: [
        { name: "Request", value: ({ request }) => request, show: ({ request }) => request, isText: true },
        { name: "Kind", value: ({ kind }) => kind, show: ({ kind }) => kind, isText: true },
        { name: "Failed", value: ({ count }) => count, show: ({ count }) => format(count, "count") },
      ],
    });
    this.exchanges = h("div");
    this.heading = h("h3", { hidden: true }, "First failing exchanges; secrets are masked");
    this.element = h("section", { "aria-labelledby": "failing" },
      h("h2", { id: "failing" }, "Failures", this.count), this.table.element, this.heading,
      this.exchanges);
  }

  update({ failures, exchanges }, chosen) {
    const isMeant = ({ request }) => !chosen || request === chosen;
    const found = failures.filter(isMeant);
    const total = found.reduce((sum, { count }) => sum + count, 0);
    say(this.count, total ? plural(total, "failed request") : "none so far");
    this.table.show(found);
    hide(this.table.element, !found.length);
    const shown = exchanges.map((one, n) => ({ ...one, n })).filter(isMeant);
    hide(this.heading, !shown.length);
    keep(this.exchanges, shown, ({ n }) => n, exchange);
  }
}

function exchange({ request, kind, reason, status, t, latency, sent, received }) {
  const facts = [kind, status && String(status) !== kind && `status ${status}`, `at ${clock(t)}`,
    latency !== null && `after ${format(latency, "ms")}`].filter(Boolean).join(" · ");
  const side = (name, text) => h("div", {}, h("p", { class: "soft" }, name),
    text ? h("pre", { tabindex: "0" }, text) : h("p", { class: "soft" }, "nothing"));
  return h("details", { class: "failure" },
    h("summary", {}, h("span", { class: "kind" }, request), h("span", { class: "soft" }, ` ${facts}`),
      reason && reason !== `status ${kind}` && h("div", { class: "reason" }, reason)),
    h("div", { class: "exchange" }, side("Sent", sent), side("Received", received)));
}
