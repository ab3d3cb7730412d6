// A field for each param of a plan: its kind follows from the type, and its text is what `--set` takes.

import { h } from "../dom.js";

const HINTS = { duration: "such as 30s or 2m", size: "such as 64KB", rate: "such as 20/s",
  percent: "such as 5%", url: "such as http://127.0.0.1:8080", list: "such as [a, b]" };

// Returns { element, name, text() → what is given, or null for what the plan has }.
export function paramField(param) {
  const { name, type, help, env, required, secret } = param;
  const id = `param-${name}`;
  const input = inputFor(param, id);
  const hints = [help, HINTS[type], bounds(param), env && `or $${env} of the environment`]
    .filter(Boolean).join(" · ");
  const element = h("div", { class: "field" },
    h("label", { for: id }, name, required && h("span", { class: "soft" }, " (required)")), input,
    hints && h("p", { class: "soft hint", id: `${id}-hint` }, hints));
  if (hints) input.setAttribute("aria-describedby", `${id}-hint`);
  const given = () => input.type === "checkbox" ? String(input.checked) : input.value;
  const first = given();
  const text = () => given() === first && (secret || !input.dataset.changed) ? null : given();
  input.addEventListener("input", () => { input.dataset.changed = "yes"; });
  return { element, input, name, text };
}

function inputFor({ type, value, default: usual, choices, min, max, secret, required }, id) {
  const shown = value ?? usual ?? "";
  if (choices.length) {
    return h("select", { id, required }, value === null && usual === null && h("option", { value: "" }, "–"),
      choices.map((one) => h("option", { selected: String(one) === String(shown) }, String(one))));
  }
  if (secret) {
    return h("input", { id, type: "password", autocomplete: "new-password", required,
      placeholder: value === null ? "" : "as it is set" });
  }
  if (type === "bool") return h("input", { id, type: "checkbox", checked: String(shown) === "true" });
  if (type === "int" || type === "float") {
    return h("input", { id, type: "number", value: shown, min, max, required,
      step: type === "int" ? "1" : "any" });
  }
  const kind = type === "url" ? "url" : "text";
  return h("input", { id, type: kind, value: shown, required, autocomplete: "off", spellcheck: "false" });
}

function bounds({ min, max }) {
  const isLow = min !== null && min !== undefined;
  const isHigh = max !== null && max !== undefined;
  return isLow && isHigh ? `${min} to ${max}` : isLow ? `at least ${min}` : isHigh ? `at most ${max}` : "";
}

// One choice of several names; "" is the plan's own.
export function oneOf(label, names, usual) {
  const id = `choice-${label.toLowerCase()}`;
  const input = h("select", { id }, h("option", { value: "" }, usual),
    names.map((name) => h("option", { value: name }, name)));
  return { element: h("div", { class: "field" }, h("label", { for: id }, label), input),
    value: () => input.value || null };
}

// Any of several names; none means all.
export function anyOf(label, names) {
  const boxes = names.map((name) => h("input", { type: "checkbox", value: name }));
  const element = h("fieldset", { class: "any" }, h("legend", {}, label),
    boxes.map((box) => h("label", {}, box, h("span", {}, box.value))));
  return { element, values: () => boxes.filter(({ checked }) => checked).map(({ value }) => value) };
}
