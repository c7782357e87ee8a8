#include "server/chat_render.h"

#include "server/collected_choice.h"
#include "server/usage_render.h"

namespace fathom::server {
namespace {

OrderedJson logprobs_json(OrderedJson& content, OrderedJson& thoughts) {
  OrderedJson out = {{"content", content.empty() ? OrderedJson() : std::move(content)}};
  if (!thoughts.empty()) out["reasoning_content"] = std::move(thoughts);
  content = thoughts = OrderedJson::array();
  return out;
}

// One document.
class ChatDocument : public AnswerSink {
 public:
  ChatDocument(std::shared_ptr<Reply> reply, AnswerShape shape, const text::Tokenizer& tokenizer)
      : reply_(std::move(reply)), shape_(std::move(shape)), tokenizer_(tokenizer), choices_(shape_.choices) {}

  bool on_update(const AnswerUpdate& u) override {
    choices_[u.choice].take(u, tokenizer_);
    return !reply_->exchange().disconnected();
  }

  void on_choice_end(const ChoiceEnd& end) override {
    choices_[end.choice].finish(end);
    if (end.total == nullptr) return;
    OrderedJson list = OrderedJson::array();
    for (size_t i = 0; i < choices_.size(); ++i) list.push_back(choice_json(i));
    const OrderedJson body = {{"id", shape_.id},
                              {"object", "chat.completion"},
                              {"created", shape_.created},
                              {"model", shape_.model},
                              {"system_fingerprint", shape_.fingerprint},
                              {"choices", std::move(list)},
                              {"usage", usage_json(*end.total)},
                              {"fathom", extension_json(*end.total)}};
    reply_->respond(json_response(body));
  }

  void on_failure(const Refusal& refusal) override { reply_->fail(refusal); }
  void on_cancelled() override { reply_->abort(); }

 private:
  OrderedJson choice_json(size_t i) {
    CollectedChoice& c = choices_[i];
    OrderedJson message = {{"role", "assistant"}, {"content", c.content}};
    if (c.content.empty() && !c.calls.empty()) message["content"] = OrderedJson();
    if (shape_.thinking) message["reasoning_content"] = c.reasoning;
    if (!c.calls.empty()) {
      OrderedJson calls = OrderedJson::array();
      for (size_t k = 0; k < c.calls.size(); ++k)
        calls.push_back({{"index", k},
                         {"id", c.calls[k].id},
                         {"type", "function"},
                         {"function", {{"name", c.calls[k].name}, {"arguments", c.calls[k].arguments}}}});
      message["tool_calls"] = std::move(calls);
    }
    OrderedJson logprobs;
    if (shape_.logprobs) logprobs = logprobs_json(c.content_logprobs, c.thought_logprobs);
    return {{"index", i},
            {"message", std::move(message)},
            {"logprobs", std::move(logprobs)},
            {"finish_reason", finish_name(c.end)}};
  }

  std::shared_ptr<Reply> reply_;
  AnswerShape shape_;
  const text::Tokenizer& tokenizer_;
  std::vector<CollectedChoice> choices_;
};

// Chunks.
class ChatStream : public AnswerSink {
 public:
  ChatStream(std::shared_ptr<Reply> reply, AnswerShape shape, const text::Tokenizer& tokenizer)
      : reply_(std::move(reply)), shape_(std::move(shape)), tokenizer_(tokenizer), choices_(shape_.choices) {
    OrderedJson head = {{"id", shape_.id},
                        {"object", "chat.completion.chunk"},
                        {"created", shape_.created},
                        {"model", shape_.model},
                        {"system_fingerprint", shape_.fingerprint}};
    head_ = json_text(head);
    head_.back() = ',';
  }

  bool on_update(const AnswerUpdate& u) override {
    Choice& c = choices_[u.choice];
    if (!begin(c, u.choice)) return false;
    note_token(c, u);
    for (const text::OutputEvent& event : u.events)
      if (!send(u.choice, delta(c, event), {})) return false;
    return true;
  }

  void on_choice_end(const ChoiceEnd& end) override {
    Choice& c = choices_[end.choice];
    begin(c, end.choice);
    if (!end.stop_string.empty()) c.content_logprobs = c.thought_logprobs = OrderedJson::array();
    send(end.choice, OrderedJson::object(), finish_name(end.finish),
         shape_.include_usage ? nullptr : end.total);
    if (end.total == nullptr) return;
    if (shape_.include_usage) reply_->event(head_ + "\"choices\":[]" + chunk_tail(end.total, nullptr) + "}");
    reply_->event("[DONE]");
    reply_->finish();
  }

  void on_failure(const Refusal& refusal) override { reply_->fail(refusal); }
  void on_cancelled() override { reply_->abort(); }

 private:
  struct Choice {
    bool begun = false;
    OrderedJson content_logprobs = OrderedJson::array(), thought_logprobs = OrderedJson::array();
    OrderedJson experts = OrderedJson::array();
  };

  bool begin(Choice& c, size_t index) {
    if (c.begun) return true;
    c.begun = true;
    OrderedJson first = {{"role", "assistant"},
                         {"content", shape_.thinking ? OrderedJson() : OrderedJson("")}};
    if (shape_.thinking) first["reasoning_content"] = "";
    return send(index, std::move(first), {}, nullptr, true);
  }

  // Kept until text goes out, so that what a stop string cuts off goes with it.
  void note_token(Choice& c, const AnswerUpdate& u) {
    if (u.token == nullptr) return;
    if (!u.token->experts.empty())
      c.experts.push_back(experts_json(u.token->experts, shape_.experts_per_layer));
    if (u.token->logprobs == nullptr || u.token->special) return;
    (u.token->thought ? c.thought_logprobs : c.content_logprobs)
        .push_back(logprob_json(tokenizer_, *u.token->logprobs));
  }

  static OrderedJson calls_delta(OrderedJson call) {
    OrderedJson calls = OrderedJson::array();
    calls.push_back(std::move(call));
    OrderedJson delta = OrderedJson::object();
    delta["tool_calls"] = std::move(calls);
    return delta;
  }

  OrderedJson delta(Choice& c, const text::OutputEvent& event) {
    using Kind = text::OutputEvent::Kind;
    switch (event.kind) {
      case Kind::kReasoning:
        return {{"content", OrderedJson()}, {"reasoning_content", event.text}};
      case Kind::kContent:
        if (shape_.thinking) return {{"content", event.text}, {"reasoning_content", OrderedJson()}};
        return {{"content", event.text}};
      case Kind::kCallBegin:
        c.content_logprobs = OrderedJson::array();
        return calls_delta({{"index", event.call},
                            {"id", call_id(event.call)},
                            {"type", "function"},
                            {"function", {{"name", event.text}, {"arguments", ""}}}});
      case Kind::kCallArguments:
        c.content_logprobs = OrderedJson::array();
        return calls_delta({{"index", event.call}, {"function", OrderedJson{{"arguments", event.text}}}});
      case Kind::kCallEnd:
        break;
    }
    return {};
  }

  bool send(size_t index, OrderedJson delta, const char* finish, const AnswerUsage* total = nullptr,
            bool first = false) {
    if (delta.is_null()) return true;
    Choice& c = choices_[index];
    OrderedJson logprobs;
    if (shape_.logprobs && !first && !(c.content_logprobs.empty() && c.thought_logprobs.empty()))
      logprobs = logprobs_json(c.content_logprobs, c.thought_logprobs);
    const OrderedJson choice = {{"index", index},
                                {"delta", std::move(delta)},
                                {"logprobs", std::move(logprobs)},
                                {"finish_reason", finish == nullptr ? OrderedJson() : OrderedJson(finish)}};
    std::string chunk = head_ + "\"choices\":[" + json_text(choice) + "]";
    if (shape_.include_usage) chunk += ",\"usage\":null";
    chunk += chunk_tail(total, first ? nullptr : &c.experts);
    return reply_->event(chunk + "}");
  }

  std::shared_ptr<Reply> reply_;
  AnswerShape shape_;
  const text::Tokenizer& tokenizer_;
  std::vector<Choice> choices_;
  std::string head_;
};

}  // namespace

const char* finish_name(Finish finish) {
  switch (finish) {
    case Finish::kStop:
      return "stop";
    case Finish::kLength:
      return "length";
    case Finish::kToolCalls:
      return "tool_calls";
  }
  return "stop";
}

std::unique_ptr<AnswerSink> chat_sink(std::shared_ptr<Reply> reply, AnswerShape shape,
                                      const text::Tokenizer& tokenizer) {
  if (reply->streamed()) return std::make_unique<ChatStream>(std::move(reply), std::move(shape), tokenizer);
  return std::make_unique<ChatDocument>(std::move(reply), std::move(shape), tokenizer);
}

}  // namespace fathom::server
