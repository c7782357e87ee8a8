// The conversation in hand: sending, editing, retrying, stopping, and keeping it in the store.
import { announce } from "./announce.js";
import { set_api_key } from "./api.js";
import {
  add_node, api_messages, choose_sibling, find_node, new_conversation, path_to, shown_path, wants_results,
} from "./conversation.js";
import { key_dialog } from "./dialogs.js";
import { spoken_text } from "./markdown.js";
import { chat_request, thinks } from "./request.js";
import { Run } from "./run.js";
import { context_used } from "./stats.js";

const kSaveEvery = 2000;  // milliseconds, while an answer streams

export class Chat {
  // on_change(): what is shown around the messages (list, composer) is out of date. on_rate(tokens per second
  // so far or undefined) comes while an answer streams.
  constructor(store, thread, settings, on_change, on_rate) {
    this.store_ = store;
    this.thread_ = thread;
    this.settings = settings;
    this.on_change_ = on_change;
    this.on_rate_ = on_rate;
    this.model = null;
    this.run = null;
    this.conversation = new_conversation();
    this.saved_at_ = 0;
    this.removed_ = new WeakSet();
  }

  open(conversation) {
    this.conversation = conversation;
    this.thread_.show(conversation, this.run?.node);
    if (this.run?.conversation === conversation) this.show_running_();
    this.on_change_();
  }

  last_node() {
    return shown_path(this.conversation).at(-1);
  }

  waits_for_results() {
    const last = this.last_node();
    return Boolean(last && last !== this.run?.node && wants_results(last));
  }

  // Tokens of the context in use after the last answer, or 0.
  context_used() {
    return context_used(
        shown_path(this.conversation).findLast((node) => node.role === "assistant")?.stats || {});
  }

  send(content) {
    const node = add_node(this.conversation, this.last_node()?.id || "", { role: "user", content });
    return this.answer_(node.id);
  }

  edit(node, content) {
    if (this.run) return;
    const sibling = add_node(this.conversation, node.parent, { role: "user", content });
    return this.answer_(sibling.id);
  }

  retry(node) {
    if (this.run) return;
    // An answer that never began is not worth keeping beside the new one.
    if (!node.content && !node.reasoning && !node.tool_calls.length) {
      this.conversation.nodes = this.conversation.nodes.filter((other) => other !== node);
    }
    return this.answer_(node.parent);
  }

  send_results(node, results) {
    if (this.run) return;
    return this.answer_(add_node(this.conversation, node.id, { role: "tools", results }).id);
  }

  step(node, delta) {
    if (this.run?.conversation === this.conversation) return;
    const next = choose_sibling(this.conversation, node, delta);
    if (!next) return;
    this.save_();
    this.open(this.conversation);
    this.thread_.focus_siblings(next, delta);
  }

  stop() {
    this.run?.stop();
  }

  async answer_(parent) {
    const { conversation, model } = this;
    const messages = api_messages(path_to(conversation, parent));
    const body = chat_request(model, this.settings, messages);
    const node = add_node(conversation, parent, {
      role: "assistant", content: "", reasoning: "", tool_calls: [], finish: "", error: null, stopped: false,
      experts: false, format: this.settings.format === "text" ? "text" : "json", model: model.id, stats: {},
    });
    this.run = new Run(model, conversation, node, () => this.show_running_());
    this.open(conversation);
    this.save_(conversation);
    announce(thinks(model, this.settings) ? "Thinking." : "Answering.");
    const record = await this.run.start(body);
    await this.finish_(conversation, node, record);
    if (node.error?.kind === "key") await this.ask_key_(node);
  }

  async finish_(conversation, node, record) {
    if (record && !this.removed_.has(conversation)) {
      try {
        await this.store_.save_experts(record);
        node.experts = true;
      } catch {
        // No room left in the browser: the answer itself matters more.
      }
    }
    this.run = null;
    if (this.conversation === conversation) this.speak_(this.thread_.finish(conversation, node));
    if (!node.error) announce(node.stopped ? "Stopped." : "End of the answer.");
    await this.save_(conversation);
    this.on_change_();
  }

  show_running_() {
    const { run } = this;
    const view = this.thread_.view_of(run?.node);
    if (view) {
      this.speak_(view.update(run.thinking_ms()));
      this.thread_.keep_end();
      this.on_rate_(run.rate());
    }
    if (Date.now() - this.saved_at_ > kSaveEvery) this.save_(run.conversation);
  }

  speak_(nodes) {
    for (const node of nodes) announce(spoken_text(node));
  }

  async ask_key_(node) {
    const key = await key_dialog(Boolean(sessionStorage.getItem("fathom.key")));
    if (!key) return;
    set_api_key(key);
    if (find_node(this.conversation, node.id)) await this.retry(node);
  }

  // Deletes a conversation for good; a running answer of it is stopped.
  async remove(conversation) {
    this.removed_.add(conversation);
    if (this.run?.conversation === conversation) this.run.stop();
    await this.store_.remove(conversation.id);
    if (this.conversation === conversation) this.open(new_conversation());
  }

  async save_(conversation = this.conversation) {
    if (this.removed_.has(conversation)) return;
    this.saved_at_ = Date.now();
    try {
      await this.store_.save(conversation);
    } catch {
      announce("The browser could not keep this conversation.");
    }
  }
}
