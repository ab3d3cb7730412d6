// Two runs beside each other: what is better or worse, and what can't be said.

import { get } from "../api.js";
import { $, h } from "../dom.js";

const LOOKS = { worse: "fail", better: "pass" };
const percent = (share) => share === null || share === undefined ? "–"
  : `${share > 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;

export class CompareView {
  constructor([before, after]) {
    Object.assign(this, { before, after });
  }

  async open() {
    document.title = "Comparison · planrunner";
    const query = new URLSearchParams({ before: this.before, after: this.after });
    const { verdict, rows, page } = await get(`api/compare?${query}`);
    $("main").append(h("div", { class: "page" },
      h("h1", {}, "Comparison ", h("span", { class: `badge ${LOOKS[verdict] ?? "soft"}` }, verdict)),
      page && h("p", {}, h("a", { class: "button", href: page }, "The whole comparison, with charts")),
      table(rows)));
  }

  close() {}
}

function table(rows) {
  const number = (text) => h("td", { class: "num" }, text);
  return h("div", { class: "scroll", role: "region", "aria-label": "Figures", tabindex: "0" }, h("table", {},
    h("thead", {}, h("tr", {}, ["What", "Figure"].map((name) => h("th", { scope: "col" }, name)),
      ["Before", "After", "Change", "95 % interval"].map((name) => h("th", { scope: "col", class: "num" }, name)),
      h("th", { scope: "col" }, "Says"))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.what), h("td", {}, row.figure),
      number(row.before), number(row.after), number(percent(row.change)),
      number(row.low === null ? "–" : `${percent(row.low)} to ${percent(row.high)}`),
      h("td", { class: LOOKS[row.says] ?? "soft" }, row.says))))));
}
