// The page of a run while it lasts, and when it has ended: then it becomes the report.

import { $, h, hide } from "../dom.js";
import { Charts } from "./charts.js";
import { End } from "./end.js";
import { Failures } from "./failures.js";
import { Figures } from "./figures.js";
import { Head } from "./head.js";
import { Log } from "./log.js";
import { Machines } from "./machines.js";
import { Requests } from "./requests.js";
import { Stream } from "./stream.js";
import { Thresholds } from "./thresholds.js";
import { Way } from "./way.js";

export class RunView {
  constructor(run) {
    const choose = (name) => this.choose(name);
    Object.assign(this, { chosen: "", isShown: false, isClosed: false, isPending: false,
      isStale: false, isShowing: false });
    this.problems = h("div", {}, h("p", { role: "status" }, "The run is being looked up."));
    this.head = new Head(run, this.problems);
    this.end = new End(() => this.place());
    const [figures, thresholds, machines] = [new Figures(), new Thresholds(), new Machines()];
    const [charts, requests, failures, log] =
      [new Charts(choose), new Requests(choose), new Failures(), new Log()];
    const way = new Way();
    this.first = [this.head, way, figures, thresholds, this.end];
    this.rest = [charts, requests, failures, log, machines];
    this.live = h("div", { hidden: true },
      h("div", { class: "screen" }, way.element,
        h("div", { class: "side" }, figures.element, thresholds.element), charts.element),
      h("div", { class: "more" }, requests.element, failures.element, log.element,
        ...machines.elements));
    this.stream = new Stream(run, {
      changed: (state) => this.changed(state),
      told: (how, why) => {
        this.head.told(how, why);
        if (how === "ended") this.end.over();
      },
    });
    this.awake = () => document.hidden || !this.state || this.show();
    document.addEventListener("visibilitychange", this.awake);
  }

  async open() {
    $("main").append(this.problems, this.end.element, this.live);
    try {
      await this.stream.begin();
    } catch (error) {
      this.close(); // it would ask again and again
      throw error;
    }
  }

  changed(state) {
    this.state = state;
    if (!document.hidden && !this.isPending) {
      this.isPending = true;
      requestAnimationFrame(() => this.show());
    }
  }

  show() {
    this.isPending = false;
    if (this.isClosed) return;
    if (!this.isShown) {
      this.isShown = true;
      this.problems.replaceChildren();
      $("bar").append(...this.head.elements);
    }
    this.place();
    for (const part of this.first) part.update(this.state, this.chosen);
    this.showRest();
  }

  // Each part in a task of its own, and once more if there was news meanwhile: no task is long.
  async showRest() {
    this.isStale = true;
    if (this.isShowing) return;
    this.isShowing = true;
    while (this.isStale && !this.isClosed) {
      this.isStale = false;
      for (const part of this.rest) {
        await new Promise((done) => setTimeout(done));
        if (!this.isClosed) part.update(this.state, this.chosen);
      }
    }
    this.isShowing = false;
  }

  // The report, or the live view where there is something to see.
  place() {
    const { result, columns } = this.state;
    const isEmpty = Boolean(result?.error) && !columns.t.length; // it ended before its load began
    hide(this.live, isEmpty || this.end.isReport);
  }

  choose(name) {
    this.chosen = name === this.chosen ? "" : name;
    this.show();
  }

  close() {
    this.isClosed = true;
    this.stream.close();
    document.removeEventListener("visibilitychange", this.awake);
  }
}
