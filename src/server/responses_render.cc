#include "server/responses_render.h"

#include <ctime>

#include "server/ids.h"
#include "server/usage_render.h"

namespace fathom::server {
namespace {

using Kind = text::OutputEvent::Kind;

OrderedJson usage_of(const AnswerUsage& u) {
  return {{"input_tokens", u.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", u.cached_tokens}}},
          {"output_tokens", u.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", u.reasoning_tokens}}},
          {"total_tokens", u.prompt_tokens + u.completion_tokens}};
}

// Builds the response item by item, and says each step as an event where the answer is a stream.
class ResponseSink : public AnswerSink {
 public:
  ResponseSink(std::shared_ptr<Reply> reply, OrderedJson echoed, bool logprobs,
               const text::Tokenizer& tokenizer)
      : reply_(std::move(reply)), logprobs_(logprobs), tokenizer_(tokenizer) {
    response_ = {{"id", random_id("resp_")},
                 {"object", "response"},
                 {"created_at", static_cast<int64_t>(std::time(nullptr))},
                 {"status", "in_progress"},
                 {"background", false},
                 {"error", OrderedJson()},
                 {"incomplete_details", OrderedJson()},
                 {"output", OrderedJson::array()},
                 {"usage", OrderedJson()}};
    response_.update(echoed);
  }

  bool on_update(const AnswerUpdate& u) override {
    begin();
    if (logprobs_ && u.token != nullptr && u.token->logprobs != nullptr && !u.token->special &&
        !u.token->thought)
      waiting_.push_back(logprob_json(tokenizer_, *u.token->logprobs));
    for (const text::OutputEvent& event : u.events) take(event);
    return alive_ && !reply_->exchange().disconnected();
  }

  void on_choice_end(const ChoiceEnd& end) override {
    begin();
    const bool cut = end.finish == Finish::kLength;
    if (response_["output"].empty() && !open_) open(Kind::kContent, "");
    close(cut ? "incomplete" : "completed");
    response_["status"] = cut ? "incomplete" : "completed";
    if (cut) response_["incomplete_details"] = {{"reason", "max_output_tokens"}};
    response_["usage"] = usage_of(*end.total);
    if (!reply_->streamed()) {
      reply_->respond(json_response(response_));
      return;
    }
    event(cut ? "response.incomplete" : "response.completed", {{"response", response_}});
    reply_->finish();
  }

  void on_failure(const Refusal& refusal) override {
    if (!reply_->streamed()) return reply_->fail(refusal);
    begin();
    response_["status"] = "failed";
    response_["error"] = {{"code", "server_error"}, {"message", refusal.message}};
    event("response.failed", {{"response", response_}});
    reply_->finish();
  }
  void on_cancelled() override { reply_->abort(); }

 private:
  void event(const char* type, OrderedJson rest) {
    if (!reply_->streamed() || !alive_) return;
    OrderedJson body = {{"type", type}, {"sequence_number", sequence_++}};
    body.update(rest);
    alive_ = reply_->event(json_text(body), type);
  }

  void begin() {
    if (begun_) return;
    begun_ = true;
    event("response.created", {{"response", response_}});
    event("response.in_progress", {{"response", response_}});
  }

  size_t index() const { return response_["output"].size(); }

  // Names the open item, and with a part the part too.
  OrderedJson at(OrderedJson rest, bool part = true) const {
    OrderedJson out = {{"item_id", item_["id"]}, {"output_index", index()}};
    if (part) out["content_index"] = 0;
    out.update(rest);
    return out;
  }

  OrderedJson part() const {
    if (kind_ == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", text_}};
    return {{"type", "output_text"},
            {"text", text_},
            {"annotations", OrderedJson::array()},
            {"logprobs", part_logprobs_}};
  }

  void open(Kind kind, const std::string& name) {
    open_ = true;
    kind_ = kind;
    text_.clear();
    part_logprobs_ = OrderedJson::array();
    if (kind == Kind::kReasoning) {
      item_ = {{"id", random_id("rs_")},
               {"type", "reasoning"},
               {"summary", OrderedJson::array()},
               {"content", OrderedJson::array()}};
    } else if (kind == Kind::kContent) {
      item_ = {{"id", random_id("msg_")},
               {"type", "message"},
               {"role", "assistant"},
               {"content", OrderedJson::array()}};
    } else {
      item_ = {{"id", random_id("fc_")},
               {"type", "function_call"},
               {"call_id", random_id("call_")},
               {"name", name},
               {"arguments", ""}};
      waiting_ = OrderedJson::array();
    }
    item_["status"] = "in_progress";
    event("response.output_item.added", {{"output_index", index()}, {"item", item_}});
    if (kind != Kind::kCallBegin) event("response.content_part.added", at({{"part", part()}}));
  }

  void close(const char* status) {
    if (!open_) return;
    open_ = false;
    if (kind_ == Kind::kReasoning) {
      event("response.reasoning_text.done", at({{"text", text_}}));
    } else if (kind_ == Kind::kContent) {
      event("response.output_text.done", at({{"text", text_}, {"logprobs", part_logprobs_}}));
    } else {
      item_["arguments"] = text_;
      event("response.function_call_arguments.done",
            at({{"name", item_["name"]}, {"arguments", text_}}, false));
    }
    if (kind_ != Kind::kCallBegin) {
      event("response.content_part.done", at({{"part", part()}}));
      item_["content"].push_back(part());
    }
    item_["status"] = status;
    event("response.output_item.done", {{"output_index", index()}, {"item", item_}});
    response_["output"].push_back(std::move(item_));
  }

  void take(const text::OutputEvent& e) {
    switch (e.kind) {
      case Kind::kReasoning:
      case Kind::kContent:
        if (!open_ || kind_ != e.kind) {
          close("completed");
          open(e.kind, "");
        }
        add_text(e);
        break;
      case Kind::kCallBegin:
        close("completed");
        open(Kind::kCallBegin, e.text);
        break;
      case Kind::kCallArguments:
        text_ += e.text;
        event("response.function_call_arguments.delta", at({{"delta", e.text}}, false));
        break;
      case Kind::kCallEnd:
        close("completed");
    }
  }

  void add_text(const text::OutputEvent& e) {
    text_ += e.text;
    if (e.kind == Kind::kReasoning) return event("response.reasoning_text.delta", at({{"delta", e.text}}));
    event("response.output_text.delta", at({{"delta", e.text}, {"logprobs", waiting_}}));
    for (OrderedJson& entry : waiting_) part_logprobs_.push_back(std::move(entry));
    waiting_ = OrderedJson::array();
  }

  std::shared_ptr<Reply> reply_;
  bool logprobs_;
  const text::Tokenizer& tokenizer_;
  OrderedJson response_, item_;
  std::string text_;  // of the open item
  OrderedJson waiting_ = OrderedJson::array(), part_logprobs_ = OrderedJson::array();
  Kind kind_ = Kind::kContent;
  bool open_ = false, begun_ = false, alive_ = true;
  int64_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<AnswerSink> responses_sink(std::shared_ptr<Reply> reply, OrderedJson echoed, bool logprobs,
                                           const text::Tokenizer& tokenizer) {
  return std::make_unique<ResponseSink>(std::move(reply), std::move(echoed), logprobs, tokenizer);
}

}  // namespace fathom::server
