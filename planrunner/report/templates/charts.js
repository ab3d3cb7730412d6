"use strict";
// Draws the charts. Those over time share a cursor; the legend shows the values where it is, and
// hides what is clicked. Without this script the tables show the same numbers.
(() => {
  const page = JSON.parse(document.getElementById("charts-data").textContent);
  const shown = []; // { chart, view, figure, items, index, hidden, points }
  const $ = (id) => document.getElementById(id);

  // ---- numbers as people write them

  const digits = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const scaled = (value, units) => {
    const [factor, unit] = units.find(([least]) => Math.abs(value) >= least) ?? units.at(-1);
    return `${digits(value / factor)}${unit}`;
  };
  const bytes = [[1e9, " GB"], [1e6, " MB"], [1e3, " kB"], [1, " B"]];
  const units = {
    ms: (value) => value === 0 ? "0 ms"
      : scaled(value, [[6e4, " min"], [1e3, " s"], [1, " ms"], [1e-3, " us"]]),
    "/s": (value) => `${digits(value)}/s`,
    percent: (value) => `${digits(value * 100)} %`,
    bytes: (value) => scaled(value, bytes),
    "bytes a second": (value) => `${scaled(value, bytes)}/s`,
    users: (value) => value.toLocaleString("en"),
    whole: (value) => value.toLocaleString("en", { maximumFractionDigits: 1 }),
  };
  const format = (value, unit) => (units[unit] ?? digits)(value);
  const clock = (second) =>
    `${Math.floor(second / 60)}:${String(Math.round(second % 60)).padStart(2, "0")}`;

  // ---- data

  function rowsOf(columns) {
    const pairs = Object.entries(columns)
      .map(([key, column]) => [key, column.of ? column.at.map((n) => column.of[n]) : column]);
    const length = pairs.length ? pairs[0][1].length : 0;
    return Array.from({ length }, (_, n) =>
      Object.fromEntries(pairs.map(([key, column]) => [key, column[n]])));
  }
  const datasets = Object.fromEntries(
    Object.entries(page.datasets).map(([key, columns]) => [key, rowsOf(columns)]));

  page.requests.forEach((one, n) => { one.t ??= page.requests[n - 1].t; });

  // Values by series, in order of time; of phases beside each other the greatest.
  function indexOf(rows) {
    const index = new Map();
    for (const { t, from, series, v } of rows) {
      if (!index.has(series)) index.set(series, { values: new Map(), width: t - from });
      const { values } = index.get(series);
      values.set(t, Math.max(v, values.get(t) ?? v));
    }
    for (const found of index.values()) {
      found.times = [...found.values.keys()].sort((a, b) => a - b);
    }
    return index;
  }

  function nearest(times, second) {
    let [low, high] = [0, times.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < second) low = middle + 1; else high = middle;
    }
    return low > 0 && second - times[low - 1] <= times[low] - second ? times[low - 1] : times[low];
  }

  // ---- one chart

  function addCursor(vega) {
    vega.signals = [...(vega.signals ?? []),
      { name: "moment", value: null },
      { name: "pointed", value: null, on: [
        { events: "pointermove, pointerdown",
          update: "invert('x', clamp(x(), 0, width))" },
      ] }];
    const x = { signal: "moment === null ? -9 : scale('x', moment)" };
    vega.marks.push({ type: "rule", interactive: false, encode: { update: {
      x, x2: x, y: { value: 0 }, y2: { signal: "height" }, stroke: { value: "var(--ink)" },
      strokeWidth: { value: 1 }, opacity: { signal: "moment === null ? 0 : 0.55" } } } });
    return vega;
  }

  function draw(chart) {
    const figure = $(`chart-${chart.id}`);
    const plot = figure.querySelector(".plot");
    const words = plot.getAttribute("aria-label");
    const own = Object.fromEntries(
      Object.entries(chart.data).map(([name, key]) => [name, datasets[key]]));
    // A wide chart is as high as its rows need; its axis comes on top.
    const autosize = { type: chart.wide ? "fit-x" : "fit", contains: "padding" };
    const spec = { ...chart.spec, width: "container", autosize, config: page.config,
      datasets: own };
    // Level 1: errors. Vega warns of layers that a choice leaves empty, which is no fault.
    const options = { actions: false, renderer: "svg", defaultStyle: false, logLevel: 1,
      tooltip: { disableDefaultStyle: true }, loader: { http: { credentials: "omit" } },
      patch: chart.unit ? addCursor : undefined };
    return window.vegaEmbed(plot, spec, options).then(({ view }) => {
      plot.setAttribute("role", "img"); // one sentence, not hundreds of marks one by one
      plot.setAttribute("aria-label", words);
      plot.removeAttribute("aria-roledescription");
      const svg = plot.querySelector("svg");
      svg.removeAttribute("role");
      svg.setAttribute("aria-hidden", "true");
      figure.classList.add("drawn");
      const one = { chart, view, figure, points: own.points ?? [], hidden: new Set(),
        all: own.points ?? [], caption: [...figure.querySelector("figcaption").childNodes] };
      shown.push(one);
      if (chart.entries.length) addLegend(one, plot);
      if (chart.unit) {
        view.addSignalListener("pointed", (_, second) => point(second));
        plot.addEventListener("pointerleave", () => point(null));
      }
      return one;
    }, (error) => { plot.textContent = `The chart could not be drawn: ${error.message}`; });
  }

  // ---- legends: buttons, so that keys and screen readers reach them

  function addLegend(one, plot) {
    one.list = document.createElement("ul");
    one.list.className = "legend";
    plot.before(one.list);
    fillLegend(one, one.chart.entries);
  }

  function fillLegend(one, entries) {
    one.index = indexOf(one.points);
    one.hidden.clear();
    const present = entries.filter((entry) => !one.chart.unit || one.index.has(entry.series));
    one.items = present.map((entry) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const swatch = document.createElement("span");
      const value = document.createElement("b");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      swatch.className = entry.dashed ? "swatch dashed" : "swatch";
      swatch.style.color = entry.color;
      button.append(swatch, entry.series);
      button.addEventListener("click", () => toggle(one, entry.series));
      item.append(button, value);
      return { entry, item, button, value };
    });
    one.list.replaceChildren(...one.items.map(({ item }) => item));
  }

  function toggle(one, series) {
    if (!one.hidden.delete(series)) one.hidden.add(series);
    if (one.hidden.size === one.items.length) one.hidden.clear(); // nothing left: show all
    for (const { entry, button } of one.items) {
      button.setAttribute("aria-pressed", String(!one.hidden.has(entry.series)));
    }
    one.view.signal("hidden", [...one.hidden]).runAsync();
  }

  // ---- the cursor: one moment in all charts

  let pending = false;
  let moment = null;
  let times = [];

  function point(second) {
    moment = second === null || !times.length ? second : nearest(times, second);
    if (!pending) requestAnimationFrame(show);
    pending = true;
  }

  function show() {
    pending = false;
    for (const one of shown) {
      if (!one.chart.unit) continue;
      one.view.signal("moment", moment).runAsync();
      for (const { entry, value } of one.items ?? []) {
        value.textContent = moment === null ? "" : read(one, entry);
      }
    }
    const slider = $("moment");
    if (!slider) return;
    if (moment !== null) slider.value = String(times.indexOf(moment));
    const told = moment === null ? "" : clock(moment);
    slider.setAttribute("aria-valuetext", told || "none");
    $("moment-shown").textContent = told;
  }

  function read(one, entry) {
    const found = one.index.get(entry.series);
    if (!found) return "";
    // A box is there from its beginning to its end; where there is none, no value is made up.
    const at = found.width ? found.times.find((t) => t >= moment) : nearest(found.times, moment);
    const reach = found.width ? found.width - 1e-9 : (found.times[1] - found.times[0]) || 1;
    return Math.abs(at - moment) <= reach
      ? format(found.values.get(at), entry.unit ?? one.chart.unit) : "–";
  }

  // ---- a single request in place of all

  function rateOf(request, n) {
    const second = request.t[n];
    const length = request.parts[second] ?? request.every;
    return length ? request.n[n] / length : null;
  }

  function boxes(request, counts, rate) {
    return Object.entries(counts).flatMap(([name, numbers]) => numbers.flatMap((count, n) => {
      const second = request.t[n];
      const length = rate ? request.parts[second] ?? request.every : 1;
      const series = rate && name === "0" ? "no reply" : name;
      return count && length
        ? [{ from: second - request.every, t: second, series, v: count / length }] : [];
    }));
  }

  function lines(t, values, series, more) {
    const end = times.at(-1); // an earlier run may have been longer
    return values.flatMap((v, n) =>
      (v === null || t[n] > end ? [] : [{ t: t[n], series, v, ...more }]));
  }

  function rowsOfRequest(one, request) {
    const { entries } = one.chart;
    const ghost = entries.find((entry) => entry.dashed);
    const before = request.before;
    switch (one.chart.id) {
      case "load": return [
        ...lines(request.t, request.t.map((_, n) => rateOf(request, n)), entries[0].series),
        ...(ghost && before ? lines(before.t, before.rps, ghost.series) : []),
        ...one.all.filter((row) => row.series === "users")];
      case "latency": return [
        ...["p50", "p95", "p99"].flatMap((word) =>
          lines(request.t, request[word], word, { phase: "" })),
        ...(ghost && before ? lines(before.t, before.p95, ghost.series, { phase: "" }) : [])];
      case "statuses": return known(entries, boxes(request, request.statuses, true));
      case "errors": return [
        ...known(entries, boxes(request, request.failures, false)),
        ...datasets[one.chart.data.shares].filter((row) => row.request === request.name)
          .flatMap((row) => lines(request.t, request.n.map((n) => n * row.v), row.label)
            .filter(({ t }) => row.from < t && t < row.to + request.every))];
      default: return [];
    }
  }

  function known(entries, rows) { // what is rare among all has no colour of its own
    const names = new Set(entries.map((entry) => entry.series));
    return rows.map((row) => names.has(row.series) ? row : { ...row, series: "other" });
  }

  function choose(name) {
    const request = page.requests.find((one) => one.name === name);
    for (const one of shown.filter(({ chart }) => chart.follows)) {
      one.points = request ? rowsOfRequest(one, request) : one.all;
      const values = one.points.filter((row) => row.series !== "users").map((row) => row.v);
      fillLegend(one, one.chart.entries);
      const caption = request
        ? [`Only ${name}, after the warm-up.${values.length ? "" : " There is nothing to show."}`]
        : one.caption;
      one.figure.querySelector("figcaption").replaceChildren(...caption);
      one.view.data("points", one.points).signal("hidden", []).signal("request", request ? name : "")
        .signal("reach", Math.max(0, ...values)).runAsync();
    }
    show();
  }

  // ---- each request in one chart: those whose names match, the worst first

  const figures = {
    p50: ["p50", "ms"], p95: ["p95", "ms"], p99: ["p99", "ms"],
    rate: [(request) => request.t.map((_, n) => rateOf(request, n)), "/s"],
    failed: [(request) => request.n.map((count, n) => (count ? Object.values(request.failures)
      .reduce((sum, numbers) => sum + numbers[n], 0) / count : null)), "percent"],
  };

  function compareRequests() {
    const one = shown.find(({ chart }) => chart.id === "requests");
    if (!one) return;
    const wanted = $("request-filter").value.trim().toLowerCase();
    const found = page.requests.filter(({ name }) => name.toLowerCase().includes(wanted));
    const drawn = found.slice(0, page.slots.length);
    const [figure, unit] = figures[$("request-figure").value];
    one.chart = { ...one.chart, unit };
    one.points = drawn.flatMap((request, n) => lines(request.t,
      typeof figure === "string" ? request[figure] : figure(request), request.name,
      { color: page.slots[n] }));
    fillLegend(one, drawn.map((request, n) => ({ series: request.name, color: page.slots[n] })));
    one.view.data("points", one.points).signal("hidden", []).signal("unit", unit).runAsync();
    $("request-count").textContent =
      `${drawn.length} of ${found.length}${wanted ? " that match" : ""}`;
    show();
  }

  function filterRequests() {
    const wanted = $("request-filter").value.trim().toLowerCase();
    const choice = $("request-choice");
    for (const option of choice.options) {
      option.hidden = option.value !== "" && !option.text.toLowerCase().includes(wanted);
    }
    compareRequests();
  }

  function connect() {
    times = [...new Set(shown.filter(({ chart }) => chart.unit && chart.id !== "requests")
      .filter(({ chart }) => chart.follows || chart.id === "latency" || chart.id === "load")
      .flatMap(({ all }) => all.map((row) => row.t)))].sort((a, b) => a - b);
    const controls = $("controls");
    if (!controls) return;
    controls.hidden = false;
    $("request-choice")?.addEventListener("change", (event) => choose(event.target.value));
    $("request-figure")?.addEventListener("change", compareRequests);
    $("request-filter")?.addEventListener("input", filterRequests);
    const slider = $("moment");
    slider.max = String(Math.max(times.length - 1, 0));
    slider.addEventListener("input", () => point(times[Number(slider.value)]));
  }

  Promise.all(page.charts.map(draw)).then(() => {
    connect();
    document.documentElement.dataset.charts = "drawn";
  });
})();
