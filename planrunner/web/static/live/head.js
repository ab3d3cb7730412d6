// The bar of a run: what it is, how it stands, and what can be done to it.

import { post, runAddress } from "../api.js";
import { confirm, refusal } from "../dialog.js";
import { h, hide, say } from "../dom.js";
import { Load } from "./load.js";
import { standing } from "./state.js";

const told = ({ phase, words }) => `the load of phase ${phase} was changed by hand ${words}`;
const LOOKS = { valid: "soft", biased: "warn", invalid: "fail" };

export class Head {
  constructor(run, problems) {
    Object.assign(this, { run, problems });
    this.plan = h("bdi", {}, "…");
    this.profile = h("small");
    this.verdict = h("span", { class: "badge soft", id: "verdict" });
    this.validity = h("span", { class: "badge soft" });
    this.link = h("span", { class: "pulse" }, "connecting");
    this.stop = h("button", { type: "button", id: "stop", onclick: () => this.ask("graceful") },
      "Stop gracefully");
    this.abort = h("button", { type: "button", id: "abort", class: "danger",
      onclick: () => this.askAbort() }, "Abort");
    this.load = new Load(run);
    this.actions = h("div", { class: "actions", role: "group", "aria-label": "Control of the run" },
      this.load.element, this.stop, this.abort);
    this.report = h("a", { class: "button primary", hidden: true }, "report.html");
    this.elements = [h("h1", {}, this.plan, this.profile), this.verdict, this.validity,
      h("span", { class: "push" }), this.link, this.actions, this.report];
  }

  update(state) {
    const { run, status, result, generator, changes } = state;
    this.load.update(state);
    say(this.plan, run.plan);
    say(this.profile, [run.profile && `profile ${run.profile}`, run.environment].filter(Boolean)
      .join(" · "));
    const [word, colour] = standing(state);
    say(this.verdict, word);
    this.verdict.className = `badge ${colour}`;
    const doubts = generator.doubts?.length ?? 0;
    const validity = result?.validity?.verdict ?? (doubts ? "biased" : "valid");
    say(this.validity, changes.length ? "changed by hand" : result ? validity
      : doubts ? "doubtful numbers" : "valid so far");
    const look = changes.length && !result ? "warn" : doubts || result ? LOOKS[validity] : "soft";
    this.validity.className = `badge ${look}`;
    this.validity.title = (result?.validity?.reasons
      ?? [...changes.map(told), ...generator.doubts ?? []]).join("\n");
    hide(this.validity, result ? !result.validity : status.state === "preparing");
    hide(this.actions, Boolean(result) || status.state === "ended");
    this.stop.disabled = status.state === "stopping";
    say(this.stop, status.state === "stopping" ? "Stopping …" : "Stop gracefully");
    hide(this.report, !result?.report);
    if (result?.report) this.report.href = result.report;
    document.title = `${word}: ${run.plan} · planrunner`;
  }

  told(how, why = null) {
    this.link.title = why ? `${why.message}: ${why.hint}` : "";
    say(this.link, { live: "live", lost: "no connection, trying again", ended: "ended" }[how]);
    this.link.className = `pulse ${how}`;
  }

  async ask(how) {
    this.problems.replaceChildren();
    try {
      await post(runAddress(this.run, "stop"), { how });
    } catch (error) {
      this.problems.replaceChildren(refusal(error));
    }
  }

  async askAbort() {
    const body = [h("p", {}, "Requests that are on their way are cut off and counted as aborted. "
      + "Reports are still written, and the run counts as interrupted."),
    h("p", { class: "soft" }, "To let users finish their iterations, stop the run gracefully.")];
    if (await confirm({ title: "Abort the run at once?", body, yes: "Abort", isDanger: true })) {
      this.ask("at_once");
    }
  }
}
