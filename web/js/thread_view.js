// The messages of the conversation shown, and scrolling among them.
import { AnswerView } from "./answer_view.js";
import { siblings, shown_path } from "./conversation.js";
import { by_id, h } from "./dom.js";
import { MessageView, UserView } from "./message_view.js";
import { results_element } from "./tools_view.js";

const kNearEnd = 80;  // pixels from the end that still count as reading along

export class ThreadView {
  // actions: {edit(node, text), retry(node), step(node, delta), send_results(node, results),
  // show_experts(node)}
  constructor(actions) {
    this.actions_ = actions;
    this.box_ = by_id("messages");
    this.list_ = by_id("message-list");
    this.jump_ = by_id("jump-down");
    this.views_ = [];
    this.follow_ = true;
    this.last_top_ = 0;
    this.box_.addEventListener("scroll", () => this.scrolled_());
    this.jump_.addEventListener("click", () => {
      this.to_end();
      this.box_.focus();
    });
    new ResizeObserver(() => this.keep_end()).observe(this.list_);
    new ResizeObserver(() => this.keep_end()).observe(this.box_);
  }

  // Builds all messages anew; `running` is the node that still streams, if any.
  show(conversation, running) {
    const path = shown_path(conversation);
    this.views_ = path.map((node, index) => this.view_(conversation, path, index, running));
    this.list_.replaceChildren(...this.views_.map((view) => view.element));
    by_id("welcome").hidden = path.length > 0;
    this.to_end();
  }

  view_(conversation, path, index, running) {
    const node = path[index];
    let view;
    if (node.role === "user") {
      view = new UserView(node, this.actions_.edit);
    } else if (node.role === "assistant") {
      view = new AnswerView(node, this.actions_);
      if (node !== running) view.finish(index === path.length - 1);
    } else {
      view = new MessageView(node, "Tool results", "tools");
      view.body.append(results_element(node.results, path[index - 1]?.tool_calls || []));
    }
    const choices = siblings(conversation, node.parent);
    if (node !== running) view.add_siblings(choices.indexOf(node), choices.length, this.actions_.step);
    return view;
  }

  view_of(node) {
    return this.views_.find((view) => view.node === node);
  }

  // The foot of a finished answer gets its sibling buttons only now.
  finish(conversation, node) {
    const view = this.view_of(node);
    if (!view) return [];
    const settled = view.finish(true);
    const choices = siblings(conversation, node.parent);
    view.add_siblings(choices.indexOf(node), choices.length, this.actions_.step);
    return settled;
  }

  // Only a person scrolls up: text that grew since the last scroll must not look like that.
  scrolled_() {
    const top = this.box_.scrollTop;
    if (this.box_.scrollHeight - top - this.box_.clientHeight < kNearEnd) {
      this.follow_ = true;
    } else if (top < this.last_top_) {
      this.follow_ = false;
    }
    this.last_top_ = top;
    this.jump_.hidden = this.follow_;
  }

  to_end() {
    this.follow_ = true;
    this.jump_.hidden = true;
    this.keep_end();
  }

  keep_end() {
    if (!this.follow_) return;
    this.box_.scrollTop = this.box_.scrollHeight;
    this.last_top_ = this.box_.scrollTop;
  }

  // Moves the focus to the message before (-1) or after (1) the focused one.
  focus_step(step) {
    const focused = this.views_.findIndex((view) => view.element.contains(document.activeElement));
    const next = focused < 0 ? (step < 0 ? this.views_.length - 1 : 0) : focused + step;
    this.views_[Math.max(0, Math.min(next, this.views_.length - 1))]?.element.focus();
  }

  focus_siblings(node, delta) {
    const buttons = [...(this.view_of(node)?.foot.querySelectorAll("[data-step]") || [])];
    (buttons.find((button) => Number(button.dataset.step) === delta && !button.disabled) ||
      buttons.find((button) => !button.disabled))?.focus();
  }
}
