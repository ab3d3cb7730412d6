// A table that its reader sorts, and whose rows change while it is read.

import { h, keep, mark, say } from "./dom.js";

const MADE_AT_ONCE = 20; // rows: a task that makes more takes long
const FILLED_AT_ONCE = 100;

// A column: { name, value(row), show(row), isText, look(row) → class, cell(row) → element }.
export class SortedTable {
  constructor({ label, columns, key, rowMade = () => {}, rowShown = () => {} }) {
    Object.assign(this, { columns, key, rowMade, rowShown, by: -1, isDown: false, rows: [] });
    this.heads = columns.map((column, n) => h("th", { scope: "col", class: column.isText ? null : "num" },
      h("button", { type: "button", class: "sort", onclick: () => this.sort(n) }, column.name)));
    this.body = h("tbody");
    this.element = h("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
      h("table", {}, h("thead", {}, h("tr", {}, this.heads)), this.body));
  }

  sort(column) {
    const isSame = this.by === column;
    this.isDown = isSame ? !this.isDown : !this.columns[column].isText;
    this.by = column;
    this.heads.forEach((head, n) =>
      mark(head, "aria-sort", n !== column ? null : this.isDown ? "descending" : "ascending"));
    this.show(this.rows);
  }

  show(rows) {
    this.rows = rows;
    const order = this.by < 0 ? rows : [...rows].sort(this.compare());
    const room = (this.body.kept?.size ?? 0) + MADE_AT_ONCE;
    keep(this.body, order.slice(0, room), this.key, (row) => this.make(row),
      (element, row) => Object.assign(element, { row }));
    this.fill(0, order.length > room);
  }

  // As many rows as a task has time for; the rest, and rows that are still to be made, in the next.
  fill(from, isMore) {
    clearTimeout(this.later);
    const elements = [...this.body.rows];
    const to = from + FILLED_AT_ONCE;
    elements.slice(from, to).forEach((element) => this.fillRow(element));
    if (to < elements.length) this.later = setTimeout(() => this.fill(to, isMore));
    else if (isMore) this.later = setTimeout(() => this.show(this.rows));
  }

  fillRow(element) {
    const { row } = element;
    this.columns.forEach((column, n) => {
      if (column.cell) return;
      say(element.cells[n], column.show(row));
      if (column.look) mark(element.cells[n], "class", `num ${column.look(row)}`);
    });
    this.rowShown(element, row);
  }

  compare() {
    const { value } = this.columns[this.by];
    const sign = this.isDown ? -1 : 1;
    return (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null); // unknown values last
      return typeof a === "string" ? sign * a.localeCompare(b) : sign * (a - b);
    };
  }

  make(row) {
    const cells = this.columns.map((column, n) => n === 0
      ? h("th", { scope: "row" }, column.cell?.(row))
      : h("td", { class: column.isText ? null : "num" }, column.cell?.(row)));
    const element = h("tr", {}, cells);
    this.rowMade(element, row);
    return element;
  }
}
