// A question before something that can't be taken back.

import { h, words } from "./dom.js";

// Resolves to whether the answer was yes.
export function confirm({ title, body, yes, isDanger = false }) {
  return new Promise((resolve) => {
    const no = h("button", { type: "button", autofocus: true, onclick: () => dialog.close("no") }, "Cancel");
    const go = h("button", { type: "button", class: isDanger ? "danger" : "primary",
      onclick: () => dialog.close("yes") }, yes);
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" },
      h("h2", { id: "dialog-title" }, title), ...body, h("div", { class: "actions" }, no, go));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function refusal(error) {
  return h("div", { class: "callout fail", role: "alert" },
    h("p", {}, h("strong", {}, words(error.message))),
    error.hint && h("p", {}, "Hint: ", words(error.hint)));
}
