// Lines of `log` steps, the latest at the end, which stays in view unless its reader scrolled up.

import { h, hide, keep, say } from "../dom.js";
import { clock, plural } from "../numbers.js";

const NEAR_PX = 30;

export class Log {
  constructor() {
    this.isAtEnd = true;
    this.count = h("small");
    this.list = h("div", { class: "log code", tabindex: "0", role: "log", "aria-labelledby": "log",
      "aria-live": "off", onscroll: () => this.scrolled() });
    this.element = h("section", { "aria-labelledby": "log" },
      h("h2", { id: "log" }, "Log", this.count), this.list);
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  update({ log, log_left_out: left }) {
    if (log.at(-1) === this.last && this.list.kept) return;
    this.last = log.at(-1);
    say(this.count, left ? `${plural(left, "earlier line")} left out`
      : log.length ? "" : "no line of a log step yet");
    hide(this.list, !log.length);
    keep(this.list, log, (line) => line, ({ t, text }) =>
      h("div", {}, h("time", {}, clock(t)), h("span", {}, text)));
    if (this.isAtEnd && log.length) this.list.scrollTop = this.list.scrollHeight;
  }
}
