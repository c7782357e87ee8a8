#include "server/generation.h"

#include <algorithm>
#include <utility>

#include "server/choice_listener.h"

namespace fathom::server {

Generation::Generation(infer::Engine& engine, const text::Tokenizer& tokenizer, Metrics& metrics,
                       size_t choices, std::unique_ptr<AnswerSink> sink)
    : engine_(engine), tokenizer_(tokenizer), metrics_(metrics), sink_(std::move(sink)), left_(choices) {}

std::shared_ptr<Generation> Generation::start(infer::Engine& engine, const text::Tokenizer& tokenizer,
                                              Metrics& metrics, std::vector<ChoicePlan> plans,
                                              std::unique_ptr<AnswerSink> sink) {
  const std::shared_ptr<Generation> self(
      new Generation(engine, tokenizer, metrics, plans.size(), std::move(sink)));
  for (size_t i = 0; i < plans.size(); ++i)
    if (plans[i].first_token) self->sink_->on_prompt_token(i, *plans[i].first_token, nullptr);
  try {
    for (size_t i = 0; i < plans.size(); ++i) {
      infer::Request request = std::move(plans[i].request);
      plans[i].request = {};
      auto listener = std::make_shared<ChoiceListener>(self, i, std::move(plans[i]));
      const infer::RequestId id = engine.submit(std::move(request), listener);
      const std::lock_guard lock(self->mutex_);
      self->ids_.push_back(id);
      if (self->cancelled_ || std::ranges::count(self->late_cancels_, i) > 0) engine.cancel(id);
    }
  } catch (...) {
    self->abandoned_ = true;
    self->cancel();
    throw;
  }
  return self;
}

void Generation::cancel() {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  cancelled_ = true;
  for (const infer::RequestId id : ids_) engine_.cancel(id);
}

void Generation::prompt_token(size_t choice, const infer::Logprobs& logprobs) {
  if (!told_end_ && !abandoned_) sink_->on_prompt_token(choice, logprobs.chosen.token, &logprobs);
}

void Generation::update(const AnswerUpdate& update) {
  if (told_end_ || abandoned_) return;
  if (!sink_->on_update(update)) cancel();
}

void Generation::cancel_choice(size_t choice) {
  const std::lock_guard lock(mutex_);
  if (choice < ids_.size())
    engine_.cancel(ids_[choice]);
  else
    late_cancels_.push_back(choice);
}

void Generation::end_choice(ChoiceEnd end, const infer::Outcome& outcome, const ChoicePlan& plan,
                            int64_t tokens, int64_t thoughts) {
  if (told_end_ || abandoned_) return;
  if (plan.first_of_prompt) {
    usage_.prompt_tokens += outcome.usage.prompt_tokens;
    usage_.cached_tokens += outcome.usage.cached_tokens;
  }
  usage_.completion_tokens += tokens;
  usage_.reasoning_tokens += thoughts;
  usage_.drafted += outcome.usage.drafted;
  usage_.accepted += outcome.usage.accepted;
  usage_.mtp = usage_.mtp || outcome.usage.mtp;
  usage_.queue_s = std::max(usage_.queue_s, outcome.queue_s);
  usage_.prefill_s = std::max(usage_.prefill_s, outcome.prefill_s);
  usage_.decode_s = std::max(usage_.decode_s, outcome.decode_s);
  if (--left_ == 0) {
    told_end_ = true;
    end.total = &usage_;
    metrics_.count_answer(usage_);
    metrics_.request.observe(since_start_.seconds());
  }
  sink_->on_choice_end(end);
}

void Generation::fail(const Refusal& refusal) {
  if (std::exchange(told_end_, true) || abandoned_) return;
  cancel();
  sink_->on_failure(refusal);
}

void Generation::end_cancelled() {
  if (std::exchange(told_end_, true) || abandoned_) return;
  cancel();
  metrics_.count_disconnect();
  sink_->on_cancelled();
}

}  // namespace fathom::server
