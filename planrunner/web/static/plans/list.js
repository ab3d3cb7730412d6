// All plans of the folder: what is wrong with them, and how their last runs went.

import { get } from "../api.js";
import { $, h } from "../dom.js";
import { format, plural, when } from "../numbers.js";
import { verdictBadge } from "./history.js";

export class PlanList {
  async open({ folder, run }) {
    document.title = "Plans · planrunner";
    const [{ plans }, { runs }] = await Promise.all([get("api/plans"), get("api/runs")]);
    $("main").append(h("div", { class: "page" },
      h("h1", {}, "Plans ", h("small", { class: "soft code" }, folder)),
      run && running(runs.find(({ id }) => id === run), run),
      plans.length ? h("ul", { class: "plans" }, plans.map((plan) => item(plan, runs)))
        : h("p", { class: "callout note" }, "There is no plan in this folder. ",
          h("code", {}, "planrunner init"), " writes one.")));
  }

  close() {}
}

function running(record, run) {
  return h("p", { class: "callout pass" }, h("strong", {}, record?.plan ?? "A plan"), " is running. ",
    h("a", { href: `#run/${encodeURIComponent(run)}` }, "Watch it"));
}

function item({ id, path, name, description, valid, faults }, runs) {
  const last = runs.find((one) => one.plan_path === path && !one.live);
  return h("li", { class: "panel" },
    h("div", { class: "what" },
      h("h2", {}, h("a", { href: `#plan/${encodeURIComponent(id)}` }, name)),
      h("p", { class: "soft code" }, path), description && h("p", {}, description)),
    h("div", { class: "how" },
      valid ? null : h("span", { class: "badge fail" }, faults ? plural(faults, "fault") : "not valid"),
      last ? h("span", { class: "last" }, verdictBadge(last), h("span", { class: "soft" },
        `${when(last.started)} · p95 ${format(last.p95, "ms")}`))
        : h("span", { class: "soft" }, "never run here")));
}
