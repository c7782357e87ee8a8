#include "server/anthropic_render.h"

#include "server/ids.h"

namespace fathom::server {
namespace {

using Kind = text::OutputEvent::Kind;

OrderedJson usage_json(int64_t prompt, int64_t cached, int64_t output) {
  return {{"input_tokens", prompt - cached},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", cached},
          {"output_tokens", output}};
}

// What the arguments of a call say; a call that was cut off keeps what there is of it.
OrderedJson input_of(const std::string& arguments) {
  if (arguments.find_first_not_of(" \t\r\n") == std::string::npos) return OrderedJson::object();
  auto parsed = parse_ordered_json(arguments, "");
  if (parsed && parsed->is_object()) return *std::move(parsed);
  return {{"unfinished_arguments", arguments}};
}

// Builds the message block by block, and says each step as an event where the answer is a stream.
class MessageSink : public AnswerSink {
 public:
  MessageSink(std::shared_ptr<Reply> reply, MessageShape shape)
      : reply_(std::move(reply)), shape_(std::move(shape)) {
    message_ = {{"id", random_id("msg_")},
                {"type", "message"},
                {"role", "assistant"},
                {"model", shape_.model},
                {"content", OrderedJson::array()},
                {"stop_reason", OrderedJson()},
                {"stop_sequence", OrderedJson()},
                {"usage", usage_json(shape_.prompt_tokens, 0, 0)}};
  }

  bool on_update(const AnswerUpdate& u) override {
    begin();
    for (const text::OutputEvent& event : u.events) take(event);
    return alive_ && !reply_->exchange().disconnected();
  }

  void on_choice_end(const ChoiceEnd& end) override {
    begin();
    if (message_["content"].empty() && !open_) open_block({{"type", "text"}, {"text", ""}}, Kind::kContent);
    close_block();
    message_["stop_reason"] = stop_reason(end);
    if (!end.stop_string.empty()) message_["stop_sequence"] = end.stop_string;
    const AnswerUsage& u = *end.total;
    message_["usage"] = usage_json(u.prompt_tokens, u.cached_tokens, u.completion_tokens);
    if (!reply_->streamed()) {
      reply_->respond(json_response(message_));
      return;
    }
    event(
        "message_delta",
        {{"delta", {{"stop_reason", message_["stop_reason"]}, {"stop_sequence", message_["stop_sequence"]}}},
         {"usage", message_["usage"]}});
    event("message_stop", OrderedJson::object());
    reply_->finish();
  }

  void on_failure(const Refusal& refusal) override { reply_->fail(refusal); }
  void on_cancelled() override { reply_->abort(); }

 private:
  static const char* stop_reason(const ChoiceEnd& end) {
    if (end.finish == Finish::kLength) return "max_tokens";
    if (end.finish == Finish::kToolCalls) return "tool_use";
    return end.stop_string.empty() ? "end_turn" : "stop_sequence";
  }

  void event(const char* type, OrderedJson rest) {
    if (!reply_->streamed() || !alive_) return;
    OrderedJson body = {{"type", type}};
    body.update(rest);
    alive_ = reply_->event(json_text(body), type);
  }

  void begin() {
    if (begun_) return;
    begun_ = true;
    event("message_start", {{"message", message_}});
    event("ping", OrderedJson::object());
  }

  size_t index() const { return message_["content"].size(); }

  void open_block(OrderedJson block, Kind kind) {
    open_ = true;
    kind_ = kind;
    text_.clear();
    block_ = std::move(block);
    event("content_block_start", {{"index", index()}, {"content_block", block_}});
  }

  void delta(OrderedJson delta) {
    event("content_block_delta", {{"index", index()}, {"delta", std::move(delta)}});
  }

  void close_block() {
    if (!open_) return;
    open_ = false;
    if (kind_ == Kind::kReasoning) {
      const std::string signature = random_id("sig_");
      delta({{"type", "signature_delta"}, {"signature", signature}});
      block_["thinking"] = text_;
      block_["signature"] = signature;
    } else if (kind_ == Kind::kContent) {
      block_["text"] = text_;
    } else {
      block_["input"] = input_of(text_);
    }
    event("content_block_stop", {{"index", index()}});
    message_["content"].push_back(std::move(block_));
  }

  void take(const text::OutputEvent& e) {
    switch (e.kind) {
      case Kind::kReasoning:
        if (!open_ || kind_ != Kind::kReasoning) {
          close_block();
          open_block({{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}, Kind::kReasoning);
        }
        delta({{"type", "thinking_delta"}, {"thinking", e.text}});
        break;
      case Kind::kContent:
        if (!open_ || kind_ != Kind::kContent) {
          close_block();
          open_block({{"type", "text"}, {"text", ""}}, Kind::kContent);
        }
        delta({{"type", "text_delta"}, {"text", e.text}});
        break;
      case Kind::kCallBegin:
        close_block();
        open_block({{"type", "tool_use"},
                    {"id", random_id("toolu_")},
                    {"name", e.text},
                    {"input", OrderedJson::object()}},
                   Kind::kCallBegin);
        return;
      case Kind::kCallArguments:
        delta({{"type", "input_json_delta"}, {"partial_json", e.text}});
        break;
      case Kind::kCallEnd:
        return close_block();
    }
    text_ += e.text;
  }

  std::shared_ptr<Reply> reply_;
  MessageShape shape_;
  OrderedJson message_, block_;
  std::string text_;  // of the open block
  Kind kind_ = Kind::kContent;
  bool open_ = false, begun_ = false, alive_ = true;
};

}  // namespace

std::unique_ptr<AnswerSink> anthropic_sink(std::shared_ptr<Reply> reply, MessageShape shape) {
  return std::make_unique<MessageSink>(std::move(reply), std::move(shape));
}

}  // namespace fathom::server
