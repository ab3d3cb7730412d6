// What is shown: the run of `execute --ui`, or of `planrunner ui` the page that the address names
// after its `#`: all plans, plan/ID, run/ID, history, compare/RUN/RUN.

import { get } from "./api.js";
import { refusal } from "./dialog.js";
import { $, h } from "./dom.js";
import { RunView } from "./live/view.js";

const PLACES = [["", "Plans"], ["history", "History"]];
const VIEWS = {
  "": () => import("./plans/list.js").then(({ PlanList }) => new PlanList()),
  plan: (id) => import("./plans/plan.js").then(({ PlanView }) => new PlanView(id)),
  run: (id) => new RunView(id),
  history: () => import("./plans/history.js").then(({ HistoryView }) => new HistoryView()),
  compare: (...runs) => import("./plans/compare.js").then(({ CompareView }) => new CompareView(runs)),
};

const AGAIN_MS = 300;

let shown = null;
let turns = 0;

function placeOf(hash) {
  const [name, ...rest] = hash.slice(1).split("/").map(decodeURIComponent);
  return name in VIEWS ? [name, rest] : ["", []];
}

async function show() {
  const turn = turns += 1;
  shown?.close();
  shown = null;
  try {
    const session = await ready();
    const [name, rest] = session.mode === "folder" ? placeOf(location.hash) : ["run", [session.run]];
    const view = await VIEWS[name](...rest);
    if (turn !== turns) return; // its reader went on to another page meanwhile
    shown = view;
    showBar(session.mode === "folder", name === "plan" ? "" : name);
    $("main").replaceChildren();
    await view.open(session);
  } catch (error) {
    $("main").replaceChildren(refusal(error));
  }
}

// A run is named once its plan has been read.
async function ready() {
  for (;;) {
    const session = await get("api/session");
    if (session.mode === "folder" || session.run) return session;
    $("main").replaceChildren(h("p", { role: "status" }, "The run is being prepared."));
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

function showBar(isFolder, current) {
  const links = PLACES.map(([place, text]) =>
    h("a", { href: `#${place}`, "aria-current": place === current && "page" }, text));
  $("bar").replaceChildren(...isFolder
    ? [h("a", { class: "home", href: "#" }, "planrunner"), h("nav", { "aria-label": "Pages" }, links)]
    : [h("span", { class: "home" }, "planrunner")]);
}

$("skip").addEventListener("click", (event) => {
  event.preventDefault(); // what follows `#` is a page of ours
  $("main").focus();
});
addEventListener("hashchange", async () => {
  await show();
  scrollTo(0, 0);
  $("main").focus({ preventScroll: true });
});
show();
