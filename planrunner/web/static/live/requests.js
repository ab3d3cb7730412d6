// All requests with their figures so far. A click shows one of them in the charts.

import { h, hide, mark, say } from "../dom.js";
import { format } from "../numbers.js";
import { SortedTable } from "../table.js";

const MANY = 8; // from so many on there is a filter

const number = (name, of, unit, look) =>
  ({ name, value: of, show: (row) => format(of(row), unit), look });
const failedShare = ({ requests, failed }) => requests ? failed / requests : null;

export class Requests {
  constructor(choose) {
    this.choose = choose;
    this.table = new SortedTable({
      label: "Requests",
      key: ({ name }) => name,
      columns: [
        { name: "Request", value: ({ name }) => name, isText: true, cell: (row) => this.button(row) },
        number("Requests", ({ requests }) => requests, "count"),
        number("Per second", ({ last }) => last?.requests ?? 0, "/s"),
        number("Failed", ({ failed }) => failed, "count", ({ failed }) => failed ? "bad" : "zero"),
        number("Share", failedShare, "share", ({ failed }) => failed ? "bad" : "zero"),
        number("Mean", ({ mean }) => mean, "ms"),
        number("p50", ({ p50 }) => p50, "ms"),
        number("p95", ({ p95 }) => p95, "ms"),
        number("p99", ({ p99 }) => p99, "ms"),
        number("Max", ({ max }) => max, "ms"),
        number("Received", ({ received }) => received, "bytes"),
      ],
      rowMade: (element, { name }) => {
        element.addEventListener("click", (event) => {
          if (!event.target.closest("button")) this.choose(name);
        });
      },
      rowShown: (element, { name }) => {
        element.classList.toggle("chosen", name === this.chosen);
        mark(element.querySelector("button"), "aria-pressed", String(name === this.chosen));
      },
    });
    this.input = h("input", { type: "search", placeholder: "part of a name", autocomplete: "off",
      oninput: () => this.update(this.state, this.chosen) });
    this.filter = h("label", { class: "filter", hidden: true }, "Filter", this.input);
    this.count = h("small");
    this.element = h("section", { class: "full requests", "aria-labelledby": "requests" },
      h("h2", { id: "requests" }, "Requests", this.count, this.filter), this.table.element);
  }

  button({ name }) {
    return h("button", { type: "button", class: "choose", "aria-pressed": "false",
      title: "show only this one in the charts", onclick: () => this.choose(name) }, name);
  }

  update(state, chosen) {
    Object.assign(this, { state, chosen });
    const wanted = this.input.value.trim().toLowerCase();
    const rows = state.requests.filter(({ name }) => name.toLowerCase().includes(wanted));
    this.table.show(rows);
    hide(this.filter, state.requests.length < MANY);
    say(this.count, !state.requests.length ? "none finished yet"
      : wanted ? `${rows.length} of ${state.requests.length}`
        : "after the warm-up; a click shows one in the charts");
  }
}
