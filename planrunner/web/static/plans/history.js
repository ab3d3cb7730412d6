// All runs, newest first. Two of them can be compared.

import { get } from "../api.js";
import { $, h, say, words } from "../dom.js";
import { cameTo } from "../live/state.js";
import { clock, format, when } from "../numbers.js";
import { SortedTable } from "../table.js";

export function verdictBadge(run) {
  const [word, look] = run.live ? ["running", "soft"] : cameTo(run);
  return h("span", { class: `badge ${look}` }, word);
}

const figure = (name, of, unit) =>
  ({ name, value: (run) => of(run) ?? null, show: (run) => format(of(run), unit) });

export class HistoryView {
  constructor() {
    this.chosen = []; // at most two, in the order of the clicks
    this.go = h("button", { type: "button", class: "primary", disabled: true,
      onclick: () => this.compare() }, "Compare");
    this.hint = h("span", { class: "soft" });
    this.table = new SortedTable({
      label: "Runs",
      key: ({ id }) => id,
      columns: [
        { name: "Plan", isText: true, value: ({ plan }) => plan, cell: (run) => this.name(run) },
        { name: "Verdict", isText: true, value: (run) => run.live ? "" : cameTo(run)[0], cell: verdictBadge },
        { name: "Profile", isText: true, value: ({ profile }) => profile ?? "", show: ({ profile }) => profile || "–" },
        { name: "Started", value: ({ started }) => started ?? "", show: ({ started }) => when(started) },
        { name: "Took", value: ({ duration_s: s }) => s ?? null, show: ({ duration_s: s }) => s === null ? "–" : clock(s) },
        figure("Requests", ({ requests }) => requests, "count"),
        figure("Per second", ({ rate }) => rate, "/s"),
        figure("Failed", ({ error_rate: share }) => share, "share"),
        figure("p95", ({ p95 }) => p95, "ms"),
        { name: "Report", isText: true, value: ({ report }) => report ?? "", cell: ({ report }) =>
          report ? h("a", { href: report }, "report.html") : "–" },
      ],
    });
  }

  async open() {
    document.title = "History · planrunner";
    const { runs, notices } = await get("api/runs");
    this.table.show(runs);
    this.choose();
    const told = notices.map((text) => h("p", { class: "callout note" }, words(text)));
    $("main").append(h("div", { class: "page" }, h("h1", {}, "History"), runs.length
      ? [h("p", { class: "actions" }, this.go, this.hint), this.table.element]
      : h("p", { class: "callout note" }, "No plan of this folder has been run yet."), told));
  }

  name(run) {
    const box = h("input", { type: "checkbox", "aria-label": `Compare the run of ${run.plan} of ${when(run.started)}`,
      disabled: run.live, onchange: () => this.choose(run, box) });
    const name = run.live ? h("a", { href: `#run/${encodeURIComponent(run.id)}` }, run.plan) : run.plan;
    return h("span", { class: "pick" }, box, h("span", {}, name));
  }

  choose(run, box) {
    if (run) this.chosen = this.chosen.filter(({ id }) => id !== run.id);
    if (box?.checked) this.chosen.push({ id: run.id, box, started: run.started });
    if (this.chosen.length > 2) this.chosen.shift().box.checked = false;
    this.go.disabled = this.chosen.length !== 2;
    say(this.hint, this.chosen.length === 2 ? "The earlier one is the one to compare with."
      : "Choose two runs to compare.");
  }

  compare() {
    const runs = [...this.chosen].sort((a, b) => a.started < b.started ? -1 : 1)
      .map(({ id }) => encodeURIComponent(id));
    location.hash = `compare/${runs.join("/")}`;
  }

  close() {}
}
