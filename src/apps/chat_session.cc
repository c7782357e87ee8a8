#include "apps/chat_session.h"

#include <cstdio>

#include "apps/answer_screen.h"
#include "apps/interrupt.h"
#include "base/json.h"

namespace fathom::apps {

ChatSession::ChatSession(const LoadedModel& model, infer::Engine& engine, ChatSettings s, bool colour)
    : settings(std::move(s)),
      model_(model),
      engine_(engine),
      format_(model.require_format()),
      colour_(colour) {}

void ChatSession::set_system(const std::string& text) {
  if (!messages_.empty() && messages_[0]["role"] == "system") messages_.erase(messages_.begin());
  if (text.empty()) return;
  const OrderedJson message = {{"role", "system"}, {"content", text}};
  messages_.insert(messages_.begin(), message);
}

void ChatSession::forget() {
  const bool system = !messages_.empty() && messages_[0]["role"] == "system";
  messages_.erase(messages_.begin() + (system ? 1 : 0), messages_.end());
}

std::vector<int32_t> ChatSession::prompt(text::OutputSyntax& syntax) const {
  const text::Rendered rendered =
      text::render_chat(format_, messages_, {.thinking = settings.think, .add_generation_prompt = true})
          .value();
  const text::Tokenizer& tokenizer = model_.require_tokenizer();
  syntax = text::output_syntax(format_, rendered, tokenizer, false);
  return tokenizer.encode(rendered.text, rendered.spans);
}

void ChatSession::answer() {
  text::OutputSyntax syntax;
  infer::Request request;
  request.prompt = prompt(syntax);
  const auto used = static_cast<int64_t>(request.prompt.size());
  // What fits both the context and the cache, unless the user wants less.
  const int64_t room = std::min(engine_.context_tokens(), engine_.cache_tokens()) - used;
  if (room < 1)
    throw Exception({"chat",
                     {},
                     "the conversation fills the context of " + std::to_string(used + room) + " tokens",
                     "/new begins another one"});
  request.max_tokens = settings.max_tokens > 0 ? std::min(settings.max_tokens, room) : room;
  request.sampling = settings.sampling;
  request.sampling.seed += turn_++;
  request.stop_ids = model_.generation.stop_ids;
  const auto screen = std::make_shared<AnswerScreen>(syntax, colour_);
  const infer::RequestId id = engine_.submit(std::move(request), screen);
  while (!screen->done()) {
    if (interrupted() || screen->failed()) engine_.cancel(id);
    engine_.step();
  }
  if (screen->outcome().error) throw Exception(*screen->outcome().error);
  last_ = screen->outcome();
  messages_.push_back({{"role", "assistant"}, {"content", screen->content()}});
  if (last_->reason == infer::FinishReason::cancelled) std::printf("[stopped]\n");
  if (last_->reason == infer::FinishReason::length) std::printf("[no room for more]\n");
  if (settings.stats) std::printf("%s\n", stats_line().c_str());
  std::fflush(stdout);
}

void ChatSession::ask(const std::string& text) {
  messages_.push_back({{"role", "user"}, {"content", text}});
  try {
    answer();
  } catch (const Exception&) {
    messages_.erase(messages_.end() - 1);
    throw;
  }
}

bool ChatSession::retry() {
  if (messages_.empty() || messages_.back()["role"] != "assistant") return false;
  const OrderedJson before = messages_.back();
  messages_.erase(messages_.end() - 1);
  try {
    answer();
  } catch (const Exception&) {
    messages_.push_back(before);
    throw;
  }
  return true;
}

void ChatSession::save(const std::string& path) const {
  std::FILE* file = std::fopen(path.c_str(), "wx");
  if (file == nullptr)
    throw Exception({path, {}, "cannot be created, or is there already", "name a new file"});
  const std::string text = messages_.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) == 0 && written) return;
  std::remove(path.c_str());
  throw Exception({path, {}, "cannot be written", "free some space"});
}

std::string ChatSession::stats_line() const {
  if (!last_) return "no answer yet";
  const infer::Usage& u = last_->usage;
  char text[200];
  std::snprintf(text, sizeof text, "%lld prompt tokens (%lld remembered) in %.2f s, %lld tokens",
                static_cast<long long>(u.prompt_tokens), static_cast<long long>(u.cached_tokens),
                last_->prefill_s, static_cast<long long>(u.completion_tokens));
  std::string line = text;
  // The first token belongs to the prompt's time.
  if (u.completion_tokens > 1 && last_->decode_s > 0) {
    std::snprintf(text, sizeof text, " at %.1f/s",
                  static_cast<double>(u.completion_tokens - 1) / last_->decode_s);
    line += text;
  }
  if (u.drafted > 0) {
    std::snprintf(text, sizeof text, "\nMTP drafts: %lld of %lld right (%.0f %%)%s",
                  static_cast<long long>(u.accepted), static_cast<long long>(u.drafted),
                  100.0 * static_cast<double>(u.accepted) / static_cast<double>(u.drafted),
                  u.mtp_ended ? ", then switched off: slower here" : "");
    line += text;
  }
  return line;
}

}  // namespace fathom::apps
