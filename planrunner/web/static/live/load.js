// Another load for a phase that runs: users or a rate, a pause, and what was before it again.

import { post, runAddress } from "../api.js";
import { refusal } from "../dialog.js";
import { h, hide, keep, say } from "../dom.js";
import { format } from "../numbers.js";

const UNITS = { users: "users", "arrivals/s": "arrivals per second" };

export class Load {
  constructor(run) {
    this.run = run;
    this.element = h("button", { type: "button", id: "load", hidden: true,
      onclick: () => this.open() }, "Change load …");
    this.phase = h("select", { id: "load-phase", onchange: () => this.choose() });
    this.unit = h("span");
    this.level = h("input", { id: "load-level", inputmode: "decimal", autocomplete: "off",
      size: "8", required: true });
    this.pause = h("button", { type: "button", id: "load-pause", onclick: () => this.turn() });
    this.problems = h("div");
    this.dialog = h("dialog", { "aria-labelledby": "load-title" },
      h("form", { onsubmit: (event) => this.set(event) },
        h("h2", { id: "load-title" }, "Change the load by hand"),
        h("p", {}, h("label", { for: "load-phase" }, "Phase "), this.phase),
        h("p", {}, h("label", { for: "load-level" }, "Level "), this.level, " ", this.unit),
        h("p", { class: "soft" }, "The phase keeps this level to its planned end. What begins "
          + "after the change counts for no threshold, and the verdict says: changed by hand."),
        this.problems,
        h("div", { class: "actions" },
          h("button", { type: "button", onclick: () => this.dialog.close() }, "Close"),
          this.pause, h("button", { type: "submit", class: "primary" }, "Set"))));
    this.dialog.addEventListener("close", () => this.dialog.remove());
  }

  update(state) {
    this.state = state;
    const { run, status, changes } = state;
    this.phases = status.state !== "running" ? [] : run.phases.filter(({ name, unit, can_change: can }) =>
      status.phases.includes(name) && unit in UNITS && can);
    hide(this.element, !this.phases.length);
    if (!this.dialog.isConnected) return;
    if (!this.phases.length) return this.dialog.close();
    this.showPhases();
    if (status.refused) this.problems.replaceChildren(refusal(status.refused));
    else if (changes.length > this.before) this.dialog.close();
  }

  open() {
    this.problems.replaceChildren();
    this.before = this.state.changes.length;
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.showPhases();
    this.choose();
    this.level.select();
  }

  showPhases() {
    keep(this.phase, this.phases, ({ name }) => name,
      ({ name }) => h("option", { value: name }, name));
    say(this.pause, this.isPaused() ? "Resume" : "Pause");
  }

  chosen() {
    return this.phases.find(({ name }) => name === this.phase.value) ?? this.phases[0];
  }

  last() {
    return this.state.changes.findLast(({ phase }) => phase === this.chosen()?.name);
  }

  isPaused() {
    return this.last()?.after === 0;
  }

  choose() {
    const phase = this.chosen();
    say(this.unit, UNITS[phase.unit]);
    this.level.value = format(this.now(phase), "count").replaceAll(",", "");
    say(this.pause, this.isPaused() ? "Resume" : "Pause");
  }

  // What is asked of the phase now; where several run, the plan's level at its end so far.
  now({ name, levels }) {
    const last = this.last();
    if (last) return last.after;
    const { status, phases } = this.state;
    const at = status.second - (phases.find((one) => one.name === name)?.begin_s ?? 0);
    const next = levels.find(([end]) => at < end) ?? levels.at(-1);
    return next?.[1] ?? 0;
  }

  set(event) {
    event.preventDefault();
    this.ask({ how: "set", level: this.level.value });
  }

  turn() {
    this.ask({ how: this.isPaused() ? "resume" : "pause" });
  }

  async ask(what) {
    this.problems.replaceChildren(h("p", { class: "soft", role: "status" }, "asking …"));
    this.state.status.refused = null;
    try {
      await post(runAddress(this.run, "load"), { phase: this.chosen().name, ...what });
    } catch (error) {
      this.problems.replaceChildren(refusal(error));
    }
  }
}
