#include "apps/answer.h"

#include "base/json.h"

namespace fathom::apps {

void Answer::on_progress(int64_t done, int64_t total) {
  if (on_prompt) on_prompt(done, total);
}

void Answer::take(std::span<const infer::TextPiece> pieces) {
  for (const infer::TextPiece& p : pieces) {
    text_ += p.text;
    if (on_text) on_text(p.text);
  }
}

void Answer::on_token(const infer::TokenEvent& event) {
  ids_.push_back(event.token);
  if (event.logprobs != nullptr) logprobs_.push_back(*event.logprobs);
  take(event.text);
}

void Answer::on_finish(const infer::Outcome& outcome) {
  take(outcome.text);
  outcome_ = outcome;
  outcome_.text = {};
  done_ = true;
}

OrderedJson Answer::json(double load_s) const {
  if (outcome_.error) return {{"error", outcome_.error->line()}};
  const infer::Usage& u = outcome_.usage;
  OrderedJson mtp;
  if (u.mtp) mtp = {{"drafted", u.drafted}, {"accepted", u.accepted}};
  OrderedJson out = {
      {"text", text_},
      {"ids", ids_},
      {"finish_reason", name_of(outcome_.reason)},
      {"usage",
       {{"prompt_tokens", u.prompt_tokens},
        {"cached_tokens", u.cached_tokens},
        {"completion_tokens", u.completion_tokens},
        {"mtp", mtp}}},
      {"timing", {{"load_s", load_s}, {"prefill_s", outcome_.prefill_s}, {"decode_s", outcome_.decode_s}}},
  };
  if (logprobs_.empty()) return out;
  OrderedJson list = OrderedJson::array();
  for (const infer::Logprobs& l : logprobs_) {
    OrderedJson top = OrderedJson::array();
    for (const infer::TokenLogprob& t : l.top) top.push_back({{"id", t.token}, {"logprob", t.logprob}});
    list.push_back({{"id", l.chosen.token}, {"logprob", l.chosen.logprob}, {"top", top}});
  }
  out["logprobs"] = list;
  return out;
}

}  // namespace fathom::apps
