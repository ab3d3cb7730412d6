// What came of a run. The report takes the place of the live view, which stays a click away.

import { h, hide, keep, say, sayWords, words } from "../dom.js";
import { cameTo } from "./state.js";

export class End {
  // switched() is called when the reader, or the end of the run, chooses between the two.
  constructor(switched) {
    Object.assign(this, { switched, isReport: false, isOver: false, result: null });
    this.words = h("strong");
    this.why = h("span");
    this.notices = h("ul");
    this.files = h("p");
    this.tabs = ["Report", "Live view"].map((name, n) => h("button", { type: "button",
      "aria-pressed": "false", onclick: () => this.turn(n === 0) }, name));
    this.choice = h("div", { class: "choice", role: "group", "aria-label": "What is shown" }, this.tabs);
    this.note = h("div", { class: "callout", role: "status" },
      h("p", {}, this.words, " ", this.why), this.notices, this.files);
    this.frame = h("iframe", { class: "report", title: "Report of the run", hidden: true });
    this.element = h("div", { class: "ended", hidden: true }, this.choice, this.note, this.frame);
  }

  update({ result }) {
    this.result = result;
    if (!result) return;
    hide(this.element, false);
    hide(this.choice, !result.report);
    const [word, look] = cameTo(result);
    const isSound = (result.validity?.verdict ?? "valid") === "valid";
    this.note.className = `callout ${look === "pass" && !isSound ? "warn" : look}`;
    say(this.words, `The run ended: ${word}.`);
    const { error, ended_because: because, exit_code: code } = result;
    sayWords(this.why, [error ? `${error.message}.` : because !== "finished" && `Reason: ${because}.`,
      error?.hint && `Hint: ${error.hint}.`, `Exit code ${code}.`].filter(Boolean).join(" "));
    const { notices: told = [], files = [], validity } = result;
    const notices = [...told, ...(validity?.reasons ?? [])];
    keep(this.notices, notices, (text) => text, (text) => h("li", {}, words(text)));
    hide(this.notices, !notices.length);
    keep(this.files, files.filter(({ name }) => name !== "report.html"), ({ name }) => name, ({ name, url }) =>
      h("a", { href: url, class: "file" }, name));
    hide(this.files, !files.length);
    if (this.isOver && !this.hasTurned) this.turn(true);
  }

  // Nothing more comes after the next update.
  over() {
    this.isOver = true;
  }

  turn(isReport) {
    const { report } = this.result;
    this.hasTurned = true;
    this.isReport = isReport && Boolean(report);
    if (this.isReport && !this.frame.src) this.frame.src = report;
    hide(this.frame, !this.isReport);
    hide(this.note, this.isReport);
    this.tabs.forEach((tab, n) => tab.setAttribute("aria-pressed", String((n === 0) === this.isReport)));
    this.switched();
    scrollTo(0, 0);
  }
}
