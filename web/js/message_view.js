// One message on the page: its text, its state and what can be done with it.
import { copy_button } from "./code.js";
import { h, unique_id } from "./dom.js";
import { icon, set_label } from "./icons.js";

// What stands in every message: a hidden heading, `body`, and a foot with buttons.
export class MessageView {
  constructor(node, name, kind) {
    this.node = node;
    const id = unique_id("message");
    this.body = h("div", { class: "message-body" });
    this.foot = h("div", { class: "message-foot" });
    this.element = h("article", { class: `message ${kind}`, tabindex: -1, "aria-labelledby": id },
      h("h2", { class: "hidden", id }, name), this.body, this.foot);
  }

  // "‹ 2 of 3 ›" between the siblings of the node.
  add_siblings(index, count, on_step) {
    if (count < 2) return;
    const step = (name, delta, label, off) => {
      const button =
          h("button", { type: "button", class: "icon small", disabled: off, data: { step: delta } },
            icon(name));
      set_label(button, label);
      button.addEventListener("click", () => on_step(this.node, delta));
      return button;
    };
    this.foot.append(h("span", { class: "siblings" },
      step("left", -1, "Earlier version", index === 0),
      h("span", {}, h("span", { class: "hidden" }, "Version "), `${index + 1} of ${count}`),
      step("right", 1, "Later version", index === count - 1)));
  }

  add_button(name, label, on_click) {
    const button = h("button", { type: "button", class: "icon small" }, icon(name));
    set_label(button, label);
    button.addEventListener("click", on_click);
    this.foot.append(button);
    return button;
  }

  add_copy(text_of) {
    this.foot.append(copy_button("Copy message", text_of));
  }
}

export class UserView extends MessageView {
  // on_edit(node, text) sends the changed text.
  constructor(node, on_edit) {
    super(node, "You", "user");
    this.on_edit_ = on_edit;
    this.show_();
    this.edit_button_ = this.add_button("edit", "Edit and send again", () => this.edit_());
    this.add_copy(() => node.content);
  }

  show_() {
    this.body.replaceChildren(h("p", { class: "plain" }, this.node.content));
    this.element.classList.remove("editing");
  }

  edit_() {
    const id = unique_id("edit");
    const area = h("textarea", { id, rows: Math.min(12, this.node.content.split("\n").length + 1) });
    area.value = this.node.content;
    const cancel = h("button", { type: "button" }, "Cancel");
    const form = h("form", { class: "edit" }, h("label", { class: "hidden", for: id }, "Your message"), area,
      h("div", { class: "row" }, cancel, h("button", { class: "primary" }, "Send")));
    const leave = () => {
      this.show_();
      this.edit_button_.focus();
    };
    cancel.addEventListener("click", leave);
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      leave();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (area.value.trim()) this.on_edit_(this.node, area.value);
    });
    this.body.replaceChildren(form);
    this.element.classList.add("editing");
    area.focus();
  }
}
