// Six figures that say how a run goes.

import { h, say } from "../dom.js";
import { format } from "../numbers.js";

const NAMES = ["Requests", "Per second", "Users", "Failed", "p95", "p99"];

export class Figures {
  constructor() {
    this.values = NAMES.map(() => h("dd"));
    this.element = h("dl", { class: "figures panel" },
      NAMES.map((name, n) => h("div", {}, h("dt", {}, name), this.values[n])));
  }

  update({ totals, now, status, result }) {
    const failed = totals.requests ? totals.failed / totals.requests : null;
    const texts = [format(totals.requests, "count"), format(result ? null : now.requests, "/s"),
      format(status.users, "count"), format(failed, "share"), format(totals.p95, "ms"),
      format(totals.p99, "ms")];
    this.values.forEach((value, n) => say(value, texts[n]));
    this.values[3].classList.toggle("bad", totals.failed > 0);
    this.values[0].title = totals.warmup
      ? `and ${format(totals.warmup, "count")} of the warm-up, which are no results` : "";
  }
}
