"use strict";
// Makes tables sortable and filterable; without it everything is readable.
(() => {
  function value(row, column) {
    const cell = row.cells[column];
    const raw = cell.dataset.v;
    if (raw !== undefined) return Number(raw);
    const text = cell.textContent.trim();
    const number = Number(text.replaceAll(",", ""));
    return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
  }

  function compare(a, b) {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? 1 : -1; // `–` before numbers
  }

  function sort(table, column, button) {
    const head = button.parentElement;
    const descending = head.getAttribute("aria-sort") !== "descending"
      && (head.getAttribute("aria-sort") === "ascending" || !head.classList.contains("text"));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row, column), row]);
    rows.sort((a, b) => (descending ? -1 : 1) * compare(a[0], b[0]));
    body.append(...rows.map(([, row]) => row));
  }

  function makeSortable(table) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, column, button));
      head.append(button);
    });
  }

  function makeFilterable(table, number) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 8) return;
    const box = document.createElement("p");
    box.className = "filter";
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    input.type = "search";
    input.id = `filter-${number}`;
    input.placeholder = "part of a name";
    input.autocomplete = "off";
    label.htmlFor = input.id;
    label.textContent = "Filter ";
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += !row.hidden;
      }
      count.textContent = wanted ? ` ${shown} of ${rows.length}` : "";
    });
    box.append(label, input, count);
    table.closest(".scroll").before(box);
  }

  document.documentElement.classList.add("js");
  document.querySelectorAll("table.wide, table.verdicts").forEach((table, number) => {
    makeSortable(table);
    makeFilterable(table, number);
  });
})();
