#include "server/completion_render.h"

#include "base/utf8.h"
#include "server/usage_render.h"

namespace fathom::server {
namespace {

// Unique for each token, also for one that is a part of a character.
std::string name_of(const text::Tokenizer& tokenizer, int32_t id) {
  const std::string_view bytes = tokenizer.token_bytes(id);
  if (utf8::valid(bytes)) return std::string(bytes);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "bytes:";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kHex[byte / 16];
    out += kHex[byte % 16];
  }
  return out;
}

int64_t characters(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

// The four lists of one choice, or of a piece of it.
class LogprobLists {
 public:
  LogprobLists() { clear(); }
  bool empty() const { return tokens_.empty(); }

  // `logprobs` null: the first token of a prompt, which nothing predicts.
  void add(const text::Tokenizer& tokenizer, int32_t id, const infer::Logprobs* logprobs) {
    tokens_.push_back(name_of(tokenizer, id));
    offsets_.push_back(offset_);
    offset_ += characters(token_text(tokenizer, id));
    if (logprobs == nullptr) {
      values_.push_back(nullptr);
      top_.push_back(nullptr);
      return;
    }
    values_.push_back(finite_logprob(logprobs->chosen.logprob));
    OrderedJson top = OrderedJson::object();
    for (const infer::TokenLogprob& p : logprobs->top)
      top.emplace(name_of(tokenizer, p.token), finite_logprob(p.logprob));
    if (!logprobs->top.empty()) top.emplace(name_of(tokenizer, id), finite_logprob(logprobs->chosen.logprob));
    top_.push_back(logprobs->top.empty() ? OrderedJson() : std::move(top));
  }

  OrderedJson take() {
    OrderedJson out = {{"tokens", std::move(tokens_)},
                       {"token_logprobs", std::move(values_)},
                       {"top_logprobs", std::move(top_)},
                       {"text_offset", std::move(offsets_)}};
    clear();
    return out;
  }
  void clear() { tokens_ = values_ = top_ = offsets_ = OrderedJson::array(); }

 private:
  OrderedJson tokens_, values_, top_, offsets_;
  int64_t offset_ = 0;
};

class CompletionSink : public AnswerSink {
 public:
  CompletionSink(std::shared_ptr<Reply> reply, CompletionShape shape, const text::Tokenizer& tokenizer)
      : reply_(std::move(reply)), shape_(std::move(shape)), tokenizer_(tokenizer), choices_(shape_.choices) {
    OrderedJson head = {{"id", shape_.id},
                        {"object", "text_completion"},
                        {"created", shape_.created},
                        {"model", shape_.model},
                        {"system_fingerprint", shape_.fingerprint}};
    head_ = json_text(head);
    head_.back() = ',';
  }

  void on_prompt_token(size_t choice, int32_t id, const infer::Logprobs* logprobs) override {
    choices_[choice].logprobs.add(tokenizer_, id, logprobs);
  }

  bool on_update(const AnswerUpdate& u) override {
    Choice& c = choices_[u.choice];
    begin(c, u.choice);
    if (u.token != nullptr) {
      if (!u.token->experts.empty())
        c.experts.push_back(experts_json(u.token->experts, shape_.experts_per_layer));
      if (shape_.logprobs && u.token->logprobs != nullptr)
        c.logprobs.add(tokenizer_, u.token->id, u.token->logprobs);
    }
    for (const text::OutputEvent& event : u.events) c.text += event.text;
    if (!reply_->streamed()) return !reply_->exchange().disconnected();
    return c.text.empty() || send(u.choice, nullptr, nullptr);
  }

  void on_choice_end(const ChoiceEnd& end) override {
    Choice& c = choices_[end.choice];
    begin(c, end.choice);
    c.finish = finish_name(end.finish);
    if (reply_->streamed()) {
      send(end.choice, c.finish, shape_.include_usage ? nullptr : end.total);
      if (end.total == nullptr) return;
      if (shape_.include_usage)
        reply_->event(head_ + "\"choices\":[]" + chunk_tail(end.total, nullptr) + "}");
      reply_->event("[DONE]");
      reply_->finish();
    } else if (end.total != nullptr) {
      std::string list;
      for (size_t i = 0; i < choices_.size(); ++i)
        list += (i == 0 ? "" : ",") + json_text(choice_json(i, choices_[i].finish));
      net::Response response;
      response.headers.set("Content-Type", "application/json");
      response.body = head_ + "\"choices\":[" + list + "]" + chunk_tail(end.total, nullptr) + "}";
      reply_->respond(std::move(response));
    }
  }

  void on_failure(const Refusal& refusal) override { reply_->fail(refusal); }
  void on_cancelled() override { reply_->abort(); }

 private:
  struct Choice {
    std::string text;
    const char* finish = nullptr;
    LogprobLists logprobs;
    bool begun = false;
    OrderedJson experts = OrderedJson::array();
  };

  void begin(Choice& c, size_t index) {
    if (!std::exchange(c.begun, true) && index < shape_.echoes.size()) c.text = shape_.echoes[index];
  }

  OrderedJson choice_json(size_t index, const char* finish) {
    Choice& c = choices_[index];
    OrderedJson out = {{"text", std::move(c.text)},
                       {"index", index},
                       {"logprobs", shape_.logprobs ? c.logprobs.take() : OrderedJson()},
                       {"finish_reason", finish == nullptr ? OrderedJson() : OrderedJson(finish)}};
    c.text.clear();
    return out;
  }

  bool send(size_t index, const char* finish, const AnswerUsage* total) {
    std::string chunk = head_ + "\"choices\":[" + json_text(choice_json(index, finish)) + "]";
    if (shape_.include_usage) chunk += ",\"usage\":null";
    chunk += chunk_tail(total, &choices_[index].experts);
    return reply_->event(chunk + "}");
  }

  std::shared_ptr<Reply> reply_;
  CompletionShape shape_;
  const text::Tokenizer& tokenizer_;
  std::vector<Choice> choices_;
  std::string head_;
};

}  // namespace

std::unique_ptr<AnswerSink> completion_sink(std::shared_ptr<Reply> reply, CompletionShape shape,
                                            const text::Tokenizer& tokenizer) {
  return std::make_unique<CompletionSink>(std::move(reply), std::move(shape), tokenizer);
}

}  // namespace fathom::server
