#include "server/choice_listener.h"

#include <algorithm>

namespace fathom::server {

using Kind = text::OutputEvent::Kind;

ChoiceListener::ChoiceListener(std::shared_ptr<Generation> generation, size_t choice, ChoicePlan plan)
    : generation_(std::move(generation)), choice_(choice), plan_(std::move(plan)) {
  if (plan_.syntax) {
    parser_.emplace(*plan_.syntax);
    thinking_ = plan_.syntax->start == text::OutputSyntax::Start::kThoughts;
  }
  if (!plan_.answer_stops.empty()) stops_.emplace(plan_.answer_stops);
}

void ChoiceListener::on_token(const infer::TokenEvent& event) {
  try {
    take_token(event);
  } catch (const std::exception& e) {
    generation_->fail(internal_failure(e.what()));
  }
}

void ChoiceListener::on_finish(const infer::Outcome& outcome) {
  try {
    take_end(outcome);
  } catch (const std::exception& e) {
    generation_->fail(internal_failure(e.what()));
  }
}

void ChoiceListener::on_prompt_logprobs(int64_t, const infer::Logprobs& logprobs) {
  try {
    generation_->prompt_token(choice_, logprobs);
  } catch (const std::exception& e) {
    generation_->fail(internal_failure(e.what()));
  }
}

bool ChoiceListener::note_thought(int32_t token) {
  if (!plan_.syntax) return false;
  if (!plan_.think_end) return parser_->in_thoughts();
  const bool opens =
      token == plan_.think_begin && tokens_ == 0 && plan_.syntax->start == text::OutputSyntax::Start::kOpen;
  if (opens) thinking_ = true;
  const bool thought = thinking_;
  if (token == *plan_.think_end) thinking_ = false;
  return thought;
}

void ChoiceListener::observe_time() {
  Metrics& metrics = generation_->metrics_;
  if (tokens_ == 0)
    metrics.first_token.observe(generation_->since_start_.seconds());
  else
    metrics.between_tokens.observe(since_token_.seconds());
  since_token_.restart();
}

void ChoiceListener::parse(std::span<const infer::TextPiece> pieces) {
  for (const infer::TextPiece& piece : pieces) {
    if (parser_)
      parser_->feed(piece.text, piece.special, events_);
    else if (!piece.text.empty())
      events_.push_back({.kind = Kind::kContent, .text = piece.text});
  }
}

// Passes events through, but those of the answer's text through the stop filter.
void ChoiceListener::cut_at_stops(bool at_end) {
  if (!stops_) return;
  kept_.clear();
  const auto keep_released = [this] {
    for (infer::TextPiece& p : released_)
      kept_.push_back({.kind = Kind::kContent, .text = std::move(p.text)});
    released_.clear();
  };
  for (text::OutputEvent& event : events_) {
    if (ended_) break;
    if (event.kind != Kind::kContent) {
      kept_.push_back(std::move(event));
      continue;
    }
    ended_ = stops_->feed({.text = event.text, .special = false}, released_);
    keep_released();
  }
  if (at_end && !ended_) {
    stops_->finish(released_);
    keep_released();
  }
  events_.swap(kept_);
}

void ChoiceListener::take_token(const infer::TokenEvent& event) {
  if (ended_) return;
  observe_time();
  const bool thought = note_thought(event.token);
  ++tokens_;
  if (plan_.discard) return;
  if (thought) ++thoughts_;
  const bool is_end = std::ranges::find(plan_.shown_ends, event.token) != plan_.shown_ends.end();
  events_.clear();
  if (!is_end) parse(event.text);
  cut_at_stops(false);
  const AnswerToken token = {.id = event.token,
                             .thought = thought,
                             .special = generation_->tokenizer_.is_added(event.token),
                             .logprobs = event.logprobs,
                             .experts = event.experts};
  generation_->update({.choice = choice_, .events = events_, .token = &token});
  ended_ = ended_ || is_end;
  if (ended_) generation_->cancel_choice(choice_);
}

void ChoiceListener::take_end(const infer::Outcome& outcome) {
  if (outcome.reason == infer::FinishReason::error)
    return generation_->fail(internal_failure(outcome.error ? outcome.error->line() : "the engine failed"));
  if (outcome.reason == infer::FinishReason::cancelled && !ended_) return generation_->end_cancelled();
  events_.clear();
  ChoiceEnd end = {.choice = choice_};
  if (!ended_) {
    if (!plan_.discard) parse(outcome.text);
    if (parser_) parser_->finish(events_);
    cut_at_stops(true);
    if (!events_.empty()) generation_->update({.choice = choice_, .events = events_});
  }
  end.stop_string = stops_ && !stops_->found().empty() ? stops_->found() : outcome.stop_string;
  if (outcome.reason == infer::FinishReason::length && !ended_)
    end.finish = Finish::kLength;
  else if (parser_ && parser_->calls() > 0)
    end.finish = Finish::kToolCalls;
  generation_->end_choice(end, outcome, plan_, plan_.discard ? 0 : tokens_, thoughts_);
}

}  // namespace fathom::server
