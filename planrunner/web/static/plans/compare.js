// Two runs beside each other: the page that `planrunner compare` writes, in a frame.

import { get } from "../api.js";
import { $, h } from "../dom.js";

export class CompareView {
  constructor(runs) {
    const [before, after] = runs;
    this.query = new URLSearchParams({ before, after });
  }

  async open() {
    document.title = "Comparison · planrunner";
    const { page } = await get(`api/compare?${this.query}`);
    $("main").append(h("div", { class: "page" }, h("h1", {}, "Comparison"),
      h("iframe", { class: "report", src: page, title: "Comparison of two runs" })));
  }

  close() {}
}
