// Builds elements. What a target or a plan says goes in as text: nothing here parses markup.

export const $ = (id) => document.getElementById(id);

// h("a", { href: "/", class: "soft" }, "back"): attributes by name, `on…` as listeners; null and
// false leave an attribute out. Children are elements or texts; null and false are left out too.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((one) => one !== null && one !== undefined
    && one !== false));
  return element;
}

// A sentence of planrunner's, with what it has in backticks as code.
export const words = (text) => text.split(/`([^`]+)`/).map((part, n) => n % 2 ? h("code", {}, part) : part);

// Once a second many texts stay as they were: writing those would lay the page out again.
export function say(element, text) {
  if (element.said === text) return;
  element.textContent = element.said = text;
}

export function sayWords(element, text) {
  if (element.said !== text) element.replaceChildren(...words(text));
  element.said = text;
}

export function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// Keeps one element for each key, in order; elements that stay keep their focus and their state.
export function keep(parent, items, key, make, update) {
  const old = parent.kept ?? new Map();
  const kept = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const element = old.get(name) ?? make(item);
    kept.set(name, element);
    update?.(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const [name, element] of old) if (!kept.has(name)) element.remove();
  parent.kept = kept;
}
