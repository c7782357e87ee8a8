// One answer while it streams: joins the chunks to its node and says when something is to be shown.
import { stream_chat } from "./api.js";
import { ExpertRecorder } from "./experts.js";
import { add_server_stats, context_used, Stopwatch } from "./stats.js";
import { add_call_deltas } from "./tools_view.js";

const kShowEvery = 80;  // milliseconds

export class Run {
  // on_show() is called when the node has grown, at most every 80 ms.
  constructor(model, conversation, node, on_show) {
    this.conversation = conversation;
    this.node = node;
    this.model_ = model;
    this.on_show_ = on_show;
    this.controller_ = new AbortController();
    this.timer_ = 0;
    this.watch_ = new Stopwatch();
  }

  stop() {
    this.controller_.abort();
  }

  rate() {
    return this.watch_.stats().rate;
  }

  thinking_ms() {
    return this.watch_.thinking_ms();
  }

  // Resolves when the answer is over, however it ended: node.finish, node.stopped or node.error say how.
  // Returns the record of experts, or null.
  async start(body) {
    const { node } = this;
    if (body.fathom?.experts) this.recorder_ = new ExpertRecorder(this.model_.fathom.experts);
    const server = {};
    try {
      await stream_chat(body, this.controller_.signal, (chunk) => this.add_(chunk, server));
    } catch (error) {
      if (error.name === "AbortError") {
        node.stopped = true;
      } else {
        const { kind = "server", message, retry_after = null } = error;
        node.error = { kind, message, retry_after };
      }
    } finally {
      clearTimeout(this.timer_);
      node.stats = { ...this.watch_.stats(), ...server };
      node.full = node.finish === "length" && context_used(server) >= this.model_.fathom.context;
    }
    if (!node.error && !node.stopped && !node.finish) node.finish = "stop";
    return this.recorder_?.record(node.id, this.conversation.id) || null;
  }

  add_(chunk, server) {
    const { node } = this;
    add_server_stats(server, chunk);
    const choice = chunk.choices?.[0];
    if (!choice) return;
    const delta = choice.delta || {};
    const experts = chunk.fathom?.experts;
    const thought = Boolean(delta.reasoning_content);
    const kind = thought ? "reasoning" : delta.content ? "content" : delta.tool_calls ? "tool" : "";
    if (delta.reasoning_content) node.reasoning += delta.reasoning_content;
    if (delta.content) node.content += delta.content;
    if (delta.tool_calls) add_call_deltas(node.tool_calls, delta.tool_calls);
    if (choice.finish_reason) node.finish = String(choice.finish_reason);
    if (kind) this.watch_.piece(kind, Array.isArray(experts) ? experts.length : 1);
    if (experts && this.recorder_) {
      const call = (delta.tool_calls ||
                    []).map((part) => (part.function?.name || "") + (part.function?.arguments || ""));
      this.recorder_.add(delta.reasoning_content || delta.content || call.join(""), thought, experts);
    }
    this.timer_ ||= setTimeout(() => {
      this.timer_ = 0;
      this.on_show_();
    }, kShowEvery);
  }
}
