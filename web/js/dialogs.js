// Modal dialogs on the browser's <dialog>: it keeps the focus inside and gives it back.
import { by_id, h, unique_id } from "./dom.js";
import { icon, set_label } from "./icons.js";

// Shows a dialog with a heading and a close button; it leaves the page when closed. Returns the element.
export function open_dialog(title, body, { wide = false, foot = [] } = {}) {
  const id = unique_id("dialog");
  const close = h("button", { type: "button", class: "icon" }, icon("close"));
  set_label(close, "Close");
  const dialog = h("dialog", { class: wide ? "wide-dialog" : null, "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id }, title), close),
    h("div", { class: "dialog-body" }, body),
    foot.length ? h("div", { class: "dialog-foot" }, foot) : null);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  // A click on the backdrop reports the dialog itself as its target.
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dialog.close());
  by_id("dialogs").append(dialog);
  dialog.showModal();
  return dialog;
}

// Resolves to the form's field values, or to null when it was closed.
function ask(title, body, action, { danger = false } = {}) {
  return new Promise((resolve) => {
    const form_id = unique_id("form");
    const form = h("form", { id: form_id, method: "dialog" }, body);
    const accept = h("button", { form: form_id, class: danger ? "danger" : "primary" }, action);
    const cancel = h("button", { type: "button" }, "Cancel");
    const dialog = open_dialog(title, form, { foot: [cancel, accept] });
    let values = null;
    cancel.addEventListener("click", () => dialog.close());
    form.addEventListener("submit", () => (values = Object.fromEntries(new FormData(form))));
    dialog.addEventListener("close", () => resolve(values));
    (form.querySelector("input") || (danger ? cancel : accept)).focus();
  });
}

export const confirm_dialog = async (title, text, action) =>
  (await ask(title, h("p", {}, text), action, { danger: true })) !== null;

export async function text_dialog(title, label, value, action) {
  const id = unique_id("field");
  const input = h("input", { id, name: "value", value, required: true, maxlength: 200, autocomplete: "off" });
  const values = await ask(title, [h("label", { for: id }, label), input], action);
  return values && values.value.trim();
}

export async function key_dialog(rejected) {
  const id = unique_id("field");
  const input = h("input", { id, name: "key", type: "password", required: true, autocomplete: "off" });
  const why = rejected ? "The server did not take this key." : "This server wants an API key.";
  const body = [
    h("p", { role: rejected ? "alert" : null }, why, " It is kept until this tab closes."),
    h("label", { for: id }, "API key"), input,
  ];
  const values = await ask("API key", body, "Use this key");
  return values && values.key.trim();
}

export const kShortcuts = [
  ["Enter", "Send the message"],
  ["Shift + Enter", "Start a new line"],
  ["Esc", "Stop the answer"],
  ["Alt + I", "Go to the message field"],
  ["Alt + N", "New conversation"],
  ["Alt + C", "Show or hide conversations"],
  ["Alt + T", "Thinking on or off"],
  ["Alt + S", "Settings"],
  ["Alt + ↑ / Alt + ↓", "Previous or next message"],
  ["Ctrl + /", "This list"],
];

export function help_dialog() {
  const rows = kShortcuts.map(([keys, meaning]) =>
    h("div", {}, h("dt", {}, keys.split(/( \+ | \/ )/).map((part, i) => (i % 2 ? part : h("kbd", {}, part)))),
      h("dd", {}, meaning)));
  open_dialog("Keyboard shortcuts", [
    h("dl", { class: "shortcuts" }, rows),
    h("p", { class: "quiet" },
      h("a", { href: "/licenses.txt", target: "_blank" }, "Licences of the libraries used")),
  ]);
}
