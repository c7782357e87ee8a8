// An answer: thoughts, text or JSON, tool calls, errors, figures.
import { wants_results } from "./conversation.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { MarkdownStream } from "./markdown.js";
import { MessageView } from "./message_view.js";
import { stat_items } from "./stats.js";
import { ThinkingView } from "./thinking_view.js";
import { CallsView, is_json, json_block } from "./tools_view.js";

const kErrorTexts = {
  key: "The server wants an API key.",
  busy: "The server's queue is full.",
  draining: "The server is shutting down and takes no new work.",
  context: "The conversation no longer fits into the model's context. " +
    "Edit an earlier message or start a new conversation.",
  network: "The connection was lost.",
  unreachable: "The server cannot be reached.",
  request: "The server refused the request.",
  server: "The server failed.",
};

export class AnswerView extends MessageView {
  // actions: {retry(node), show_experts(node), send_results(node, results)}
  constructor(node, actions) {
    super(node, "Answer", "answer");
    this.actions_ = actions;
    this.thinking_ = new ThinkingView();
    this.text_ = h("div", { class: "prose" });
    this.stream_ = new MarkdownStream(this.text_);
    this.calls_ = new CallsView((results) => actions.send_results(node, results));
    this.waiting_ = h("p", { class: "waiting" }, "Waiting for the first token");
    this.end_ = h("div", { class: "answer-end" });
    this.body.append(this.thinking_.element, this.waiting_, this.text_, this.calls_.element, this.end_);
  }

  // Shows the growing answer. Returns the elements of the text that no longer change.
  update(thinking_ms) {
    const { content, reasoning, tool_calls } = this.node;
    const begun = content !== "" || tool_calls.length > 0;
    this.waiting_.hidden = begun || reasoning !== "";
    this.element.setAttribute("aria-busy", "true");
    this.thinking_.update(reasoning, !begun, thinking_ms);
    this.calls_.update(tool_calls, false);
    return this.show_text_(false);
  }

  // Shows the whole answer. `open`: it is the last message, so results and retries have a place here.
  finish(open) {
    const { node } = this;
    this.element.removeAttribute("aria-busy");
    this.waiting_.hidden = true;
    this.thinking_.update(node.reasoning, false, node.stats.thinking_ms);
    this.calls_.update(node.tool_calls, open && wants_results(node));
    const settled = this.show_text_(true);
    this.end_.replaceChildren(...this.end_notes_());
    this.fill_foot_();
    return settled;
  }

  show_text_(done) {
    const { content, format } = this.node;
    if (format !== "json") return this.stream_.update(content, done);
    if (content === "") return [];
    const state = !done ? "JSON" : is_json(content) ? "JSON, valid" : "JSON, not complete";
    this.text_.replaceChildren(json_block(content, h("span", {}, state), !done));
    return [];
  }

  end_notes_() {
    const { node } = this;
    const notes = [];
    if (node.error) notes.push(this.error_());
    if (node.finish === "stop" && node.content.trim() === "" && node.tool_calls.length === 0)
      notes.push(h("p", { class: "note" }, "The model ended without an answer."));
    if (node.stopped) notes.push(h("p", { class: "note" }, "Stopped."));
    if (node.finish === "length") notes.push(h("p", { class: "note" }, node.full
      ? "Cut: the model's context is full. Start a new conversation, or edit an earlier message."
      : "Cut: the answer reached its limit of tokens. “Most tokens” in the settings raises it."));
    if (node.finish === "insufficient_system_resource")
      notes.push(h("p", { class: "note" }, "Cut by the server."));
    if (!node.finish && !node.error && !node.stopped)
      notes.push(h("p", { class: "note" }, "Interrupted: the page was closed."));
    return notes;
  }

  error_() {
    const { kind, message, retry_after } = this.node.error;
    const wait = retry_after ? ` It asks to wait ${retry_after} seconds.` : "";
    const retry = h("button", { type: "button" }, icon("retry"), "Try again");
    retry.addEventListener("click", () => this.actions_.retry(this.node));
    return h("div", { class: "error", role: "alert" },
      h("p", {}, h("strong", {}, kErrorTexts[kind] || kErrorTexts.server), wait),
      message ? h("p", { class: "quiet" }, message) : null, retry);
  }

  fill_foot_() {
    const { node } = this;
    this.foot.replaceChildren();
    if (!node.error) this.add_button("retry", "Answer again", () => this.actions_.retry(node));
    if (node.content) this.add_copy(() => node.content);
    if (node.experts) {
      const button = h("button", { type: "button", class: "small ghost" }, icon("grid"), "Experts");
      button.addEventListener("click", () => this.actions_.show_experts(node));
      this.foot.append(button);
    }
    const items = stat_items(node.stats);
    if (items.length) {
      this.foot.append(h("ul", { class: "stats", "aria-label": "Figures" },
        items.map(({ text, title }) => h("li", { title }, text))));
    }
  }
}
