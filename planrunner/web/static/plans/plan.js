// A plan: what is wrong with it, what it would do, and the form that starts it.

import { get, planAddress, post } from "../api.js";
import { confirm, refusal } from "../dialog.js";
import { $, h, hide, keep, mark, say, words } from "../dom.js";
import { anyOf, oneOf, paramField } from "./fields.js";

const CHECK_MS = 350; // after the last key
const SELECTION = [["phases", "Phases"], ["cases", "Cases"], ["users", "User classes"],
  ["tasks", "Tasks"], ["tags", "Tags"], ["skip_tags", "Without tags"]];

export class PlanView {
  constructor(id) {
    this.id = id;
    this.explained = h("pre", { tabindex: "0", "aria-label": "What the plan would do" });
    this.faults = h("ul", { class: "faults" });
    this.notices = h("ul", { class: "soft" });
    this.commands = h("ul", { class: "commands" });
    this.state = h("p", { class: "state", role: "status" });
    this.start = h("button", { type: "submit", class: "primary", id: "start" }, "Start the run");
    this.problems = h("div");
    this.asked = 0;
  }

  async open({ run }) {
    this.running = run;
    this.plan = await get(planAddress(this.id));
    const { name, description, path } = this.plan;
    document.title = `${name} · planrunner`;
    $("main").append(h("div", { class: "page" },
      h("h1", {}, name, " ", h("small", { class: "soft code" }, path)),
      description && h("p", {}, description),
      h("div", { class: "plan" }, this.form(), h("section", { "aria-labelledby": "does" },
        h("h2", { id: "does" }, "What it would do"), this.state, this.faults, this.explained,
        this.notices, this.commandsBox()))));
    this.show(this.plan);
  }

  form() {
    const { params, profiles, environments } = this.plan;
    this.params = params.map(paramField);
    this.profile = oneOf("Profile", profiles, "as the plan says");
    this.environment = oneOf("Environment", environments, "none");
    this.selection = SELECTION.map(([key, label]) =>
      [key, anyOf(label, this.plan[key === "skip_tags" ? "tags" : key])]);
    this.seed = h("input", { type: "number", id: "seed", min: "0", step: "1", placeholder: "a new one" });
    this.workers = h("input", { type: "number", id: "workers", min: "1", step: "1", value: "1" });
    this.tolerate = h("input", { type: "number", id: "tolerate", min: "0", step: "1", value: "0" });
    const hasNames = ([key]) => this.plan[key === "skip_tags" ? "tags" : key].length > 0;
    const form = h("form", { class: "panel form", novalidate: true, "aria-label": "Start this plan" },
      profiles.length > 0 && this.profile.element,
      environments.length > 0 && this.environment.element,
      this.params.map(({ element }) => element),
      h("details", {}, h("summary", {}, "Only a part of the plan"),
        this.selection.filter(hasNames).map(([, { element }]) => element)),
      h("details", {}, h("summary", {}, "Seed and workers"),
        h("div", { class: "field" }, h("label", { for: "seed" }, "Seed"), this.seed),
        h("div", { class: "field" }, h("label", { for: "workers" }, "Workers"), this.workers),
        h("div", { class: "field" }, h("label", { for: "tolerate" }, "Workers that may be lost"), this.tolerate)),
      this.problems, h("div", { class: "go" }, this.start,
        this.running && h("a", { href: `#run/${encodeURIComponent(this.running)}` }, "Another run is in progress")));
    form.addEventListener("input", () => this.soon());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin();
    });
    return form;
  }

  commandsBox() {
    this.commandsHead = h("h3", {}, "Commands that it runs on this machine");
    return h("div", {}, this.commandsHead, this.commands);
  }

  choices() {
    const given = this.params.map(({ name, text }) => [name, text()]).filter(([, text]) => text !== null);
    return { params: Object.fromEntries(given), profile: this.profile.value(),
      environment: this.environment.value(), labels: {},
      seed: this.seed.value === "" ? null : Number(this.seed.value),
      workers: Number(this.workers.value || 1),
      tolerate: Number(this.tolerate.value || 0),
      ...Object.fromEntries(this.selection.map(([key, choice]) => [key, choice.values()])) };
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), CHECK_MS);
  }

  async check() {
    const number = this.asked += 1;
    try {
      const plan = await post(planAddress(this.id, "check"), this.choices());
      if (number === this.asked) this.show(plan); // a later answer is on its way otherwise
    } catch (error) {
      this.problems.replaceChildren(refusal(error));
    }
  }

  show(plan) {
    this.plan = { ...this.plan, ...plan };
    const { faults, notices, explain, commands } = this.plan;
    const errors = faults.filter(({ severity }) => severity === "error").length;
    say(this.state, errors ? "The plan can't start with these choices." : "The plan is valid.");
    this.state.className = `state ${errors ? "fail" : "pass"}`;
    keep(this.faults, faults, (one) => JSON.stringify(one), fault);
    hide(this.faults, !faults.length);
    say(this.explained, explain ?? "");
    hide(this.explained, !explain);
    keep(this.notices, notices, (text) => text, (text) => h("li", {}, words(text)));
    keep(this.commands, commands, ({ what, command }) => `${what}\n${command}`, commandItem);
    hide(this.commandsHead, !commands.length);
    hide(this.commands, !commands.length);
    this.start.disabled = errors > 0;
    for (const { name, input } of this.params) {
      const isFaulty = faults.some(({ message }) => message.includes(`\`${name}\``));
      mark(input, "aria-invalid", isFaulty ? "true" : null);
    }
  }

  async begin(confirmed = this.plan.confirmed ? this.plan.digest : null) {
    clearTimeout(this.timer);
    this.problems.replaceChildren();
    this.start.disabled = true;
    try {
      const { run } = await post(planAddress(this.id, "start"), { choices: this.choices(), confirmed });
      location.hash = `run/${encodeURIComponent(run)}`;
    } catch (error) {
      if (error.needs === "confirmation") await this.askFirst(error);
      else this.refuse(error);
    } finally {
      this.start.disabled = false;
    }
  }

  async askFirst({ commands, digest }) {
    const body = [h("p", {}, "This plan runs these commands on this machine, with your rights:"),
      h("ul", { class: "commands" }, commands.map(commandItem))];
    if (await confirm({ title: "Run these commands?", body, yes: "Run them and start" })) {
      await this.begin(digest);
    }
  }

  refuse(error) {
    this.problems.replaceChildren(refusal(error));
    if (error.faults) this.show({ ...this.plan, faults: error.faults });
  }

  close() {
    clearTimeout(this.timer);
  }
}

function fault({ file, line, column, severity, code, message, hint }) {
  return h("li", { class: `callout ${severity === "error" ? "fail" : "warn"}` },
    h("p", {}, h("span", { class: "code" }, `${file}:${line}:${column}`), ` ${severity}[${code}]`),
    h("p", {}, words(message)), hint && h("p", { class: "soft" }, "Hint: ", words(hint)));
}

function commandItem({ what, command, place }) {
  return h("li", {}, h("span", {}, what, " ", h("span", { class: "soft code" }, place)),
    h("pre", { tabindex: "0" }, command));
}
