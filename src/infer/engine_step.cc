#include <algorithm>

#include "base/check.h"
#include "infer/engine.h"

namespace fathom::infer {

StepRunner::Cache Engine::cache_view() const {
  return {.tables = {tables_.data(), options_.max_running, table_width_}, .layers = cache_.pool().layers()};
}

bool Engine::step() {
  take_inbox();
  finish_cancelled();
  admit_waiting();
  plan();
  if (batch_.empty()) {
    update_stats();
    return false;
  }
  run_batch(batch_);
  remove_finished();
  ++totals_.steps;
  update_stats();
  return true;
}

// In order of arrival: who does not fit holds up those behind, so that nobody is overtaken for ever.
void Engine::admit_waiting() {
  while (!waiting_.empty() && !free_slots_.empty()) {
    if (!admit(*waiting_.front())) return;
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

bool Engine::admit(Sequence& s) {
  const int32_t slot = free_slots_.back();
  s.blocks.table =
      std::span(tables_).subspan(static_cast<size_t>(slot * table_width_), static_cast<size_t>(table_width_));
  // What is in the cache has no logits.
  const std::span<const int32_t> known = s.request.prompt_logprobs ? std::span<const int32_t>() : s.tokens;
  // A beginning that was computed without the module is worth more than drafts.
  s.drafting = options_.mtp && s.request.mtp && governor_.start(static_cast<int64_t>(running_.size())) &&
               (known.empty() || cache_.known_tokens(known, true) >= cache_.known_tokens(known, false));
  if (!cache_.admit(known, s.limit, s.drafting, s.blocks)) return false;
  free_slots_.pop_back();
  s.slot = slot;
  s.computed = s.blocks.count * kernels::kBlockTokens;
  s.module_computed = s.drafting ? s.computed : 0;
  s.usage.cached_tokens = s.computed;
  s.usage.mtp = s.drafting;
  s.queue_s = s.since_submit.seconds();
  s.since_admission.restart();
  totals_.prompt_tokens += s.prompt_size();
  totals_.cached_tokens += s.computed;
  return true;
}

// Whether leaving all drafts out of this step would tell what they cost: nothing but answers, all of which
// have one.
bool Engine::may_probe() {
  return std::ranges::all_of(running_, [](const Owned& s) { return s->decoding() && s->draft != kNoToken; });
}

int64_t Engine::most_drafts() const {
  int64_t most = 0;
  for (const Owned& s : running_) most = std::max(most, s->drafts.made);
  return most;
}

// Every answer gets its row, and a second one for a draft that can still bring a token; what is left of the
// chunk goes to prompts in order of arrival.
void Engine::plan() {
  batch_.clear();
  decoding_ = std::ranges::count_if(running_, [](const Owned& s) { return s->decoding(); });
  const bool probe = may_probe() && governor_.probe(decoding_, most_drafts());
  int64_t left = options_.prefill_chunk;
  for (Owned& owned : running_) {
    Sequence& s = *owned;
    s.accepted_rows = 0;
    if (s.decoding()) {
      const bool useful = s.draft != kNoToken && s.size() + 1 < s.limit &&
                          std::ranges::find(s.request.stop_ids, s.draft) == s.request.stop_ids.end();
      s.rows = useful && !probe ? 2 : 1;
    } else {
      s.rows = std::min(left, s.prompt_size() - s.computed);
      left -= s.rows;
      if (s.rows == 0) continue;
    }
    cache_.grow(s.blocks, s.computed + s.rows);
    batch_.push_back(&s);
  }
}

// Runs a batch; when that fails for a damaged weight, every sequence by itself, so that only those end which
// need it. False when sequences were run by themselves.
template <class Run>
bool Engine::run_isolated(std::span<Sequence* const> batch, Run run) {
  try {
    run(batch);
    return true;
  } catch (const Exception& e) {
    if (batch.size() == 1) {
      finish(*batch.front(), FinishReason::error, &e.error());
      return true;
    }
  }
  return false;
}

void Engine::run_batch(std::span<Sequence* const> batch) {
  const Stopwatch clock;
  if (!run_isolated(batch, [this](auto b) { runner_.run_main(b, cache_view()); })) {
    for (size_t i = 0; i < batch.size(); ++i) run_batch(batch.subspan(i, 1));
    return;
  }
  for (Sequence* s : batch)
    if (!s->finished) draw_tokens(*s);
  const double main_s = clock.seconds();
  module_batch_.clear();
  for (Sequence* s : batch)
    if (!s->finished && s->drafting) module_batch_.push_back(s);
  if (!module_batch_.empty()) run_module(module_batch_);
  const auto all_have = [&](int64_t rows) {
    return static_cast<int64_t>(batch.size()) == decoding_ &&
           std::ranges::all_of(batch, [rows](const Sequence* s) { return s->rows == rows; });
  };
  if (all_have(1)) governor_.record_one(decoding_, main_s);
  if (all_have(2) && module_batch_.size() == batch.size())
    governor_.record_two(decoding_, main_s, clock.seconds() - main_s);
  for (Sequence* s : batch)
    if (!s->finished) cache_.publish(s->blocks, s->tokens, s->computed, s->module_computed);
}

void Engine::run_module(std::span<Sequence* const> batch) {
  if (!run_isolated(batch, [this](auto b) { runner_.run_module(b, cache_view()); })) {
    for (size_t i = 0; i < batch.size(); ++i) run_module(batch.subspan(i, 1));
    return;
  }
  for (Sequence* s : batch) {
    if (s->finished) continue;
    s->module_computed += s->accepted_rows;
    FATHOM_CHECK(s->module_computed == s->computed);
    if (s->first_logits >= 0) draw_draft(*s);
  }
}

// Of the next token of a sequence.
Draw Engine::draw_of(const Sequence& s, std::span<const float> logits) const {
  const auto constraint =
      s.request.constraint ? s.request.constraint->allowed() : std::span<const uint64_t>();
  return {.logits = logits,
          .params = s.request.sampling,
          .history = s.history,
          .existing = existing_,
          .constraint = constraint,
          .position = s.size()};
}

// Of the prompt's tokens that follow the rows of this step.
void Engine::tell_prompt_logprobs(Sequence& s) {
  const int64_t end = std::min(s.rows, s.prompt_size() - 1 - s.computed);
  for (int64_t first = 0; first < end; first += StepRunner::kMostPromptLogits) {
    const int64_t count = std::min(end - first, StepRunner::kMostPromptLogits);
    const Mat<const float> logits = runner_.prompt_logits(s.first_row + first, count);
    for (int64_t r = 0; r < count; ++r) {
      const int64_t position = s.computed + first + r + 1;
      const std::span row(logits.row(r), static_cast<size_t>(logits.cols));
      s.listener->on_prompt_logprobs(position, logprobs_of(row, s.tokens[static_cast<size_t>(position)],
                                                           std::max<int64_t>(s.request.logprobs, 0)));
    }
  }
}

// Draws what the step's logits give: a token, and the one after it when the draft was right.
void Engine::draw_tokens(Sequence& s) {
  const int64_t rows = s.rows;
  const int32_t draft = s.draft;
  s.draft = kNoToken;
  if (s.request.prompt_logprobs && !s.decoding()) {
    try {
      tell_prompt_logprobs(s);
    } catch (const Exception& e) {
      return finish(s, FinishReason::error, &e.error());
    }
  }
  if (s.first_logits < 0) {
    s.computed += rows;
    s.accepted_rows = rows;
    s.listener->on_progress(s.computed, s.prompt_size());
    return;
  }
  const bool prompt_ends = !s.decoding();
  if (prompt_ends) {
    s.prefill_s = s.since_admission.seconds();
    s.since_first_token.restart();
    s.listener->on_progress(s.prompt_size(), s.prompt_size());
  }
  try {
    const auto first = runner_.logits(s.first_logits);
    const int32_t token = sampler_.draw(draw_of(s, first));
    s.computed += prompt_ends ? rows : 1;
    s.accepted_rows = prompt_ends ? rows : 1;
    s.draft = draft;
    const int64_t row = s.first_row + (prompt_ends ? rows - 1 : 0);
    deliver(s, token, first, row);
    s.draft = kNoToken;
    if (s.finished || prompt_ends || rows == 1 || token != draft) return;
    const auto second = runner_.logits(s.first_logits + 1);
    const int32_t next = sampler_.draw(draw_of(s, second));
    ++s.computed;
    ++s.accepted_rows;
    deliver(s, next, second, row + 1);
  } catch (const Exception& e) {
    finish(s, FinishReason::error, &e.error());
  }
}

void Engine::draw_draft(Sequence& s) {
  if (s.size() >= s.limit) return;
  try {
    const Draw d = draw_of(s, runner_.logits(s.first_logits));
    s.draft = sampler_.draw(d);
    s.draft_lead = sampler_.lead(d, s.draft);
  } catch (const Exception& e) {
    finish(s, FinishReason::error, &e.error());
  }
}

void Engine::compare_draft(Sequence& s, int32_t token) {
  if (s.draft == kNoToken) return;
  const bool right = s.draft == token;
  ++s.usage.drafted;
  if (right) ++s.usage.accepted;
  // Once off the module's cache falls behind, so that it stays off for this answer.
  if (!s.drafting || governor_.go_on(decoding_, s.drafts, s.draft_lead, right)) return;
  s.drafting = false;
  s.usage.mtp_ended = true;
}

// Appends a token that was drawn, or ends the answer with it. s.draft is what the module said, if it was
// asked; `row` is the row of the step that gave the logits.
void Engine::deliver(Sequence& s, int32_t token, std::span<const float> logits, int64_t row) {
  if (std::ranges::find(s.request.stop_ids, token) != s.request.stop_ids.end())
    return finish(s, FinishReason::stop);
  s.tokens.push_back(token);
  s.history.add(token);
  ++s.usage.completion_tokens;
  compare_draft(s, token);
  if (s.request.constraint) s.request.constraint->accept(token);
  pieces_.clear();
  const bool stopped = s.text->feed(token, pieces_);
  std::optional<Logprobs> logprobs;
  if (s.request.logprobs >= 0) logprobs = logprobs_of(logits, token, s.request.logprobs);
  std::span<const int32_t> experts;
  if (s.request.experts) experts = runner_.experts().of_row(row);
  s.listener->on_token(
      {.token = token, .text = pieces_, .logprobs = logprobs ? &*logprobs : nullptr, .experts = experts});
  if (stopped) return finish(s, FinishReason::stop);
  if (s.size() >= s.limit) finish(s, FinishReason::length);
}

void Engine::finish(Sequence& s, FinishReason reason, const Error* error) {
  if (s.finished) return;
  s.finished = true;
  Outcome outcome;
  outcome.reason = reason;
  outcome.usage = s.usage;
  outcome.queue_s = s.queue_s;
  outcome.prefill_s = s.prefill_s;
  if (s.decoding()) outcome.decode_s = s.since_first_token.seconds();
  pieces_.clear();
  outcome.stop_string = s.text->stop_string();
  if (outcome.stop_string.empty() && s.text->finish(pieces_)) {
    // The last bytes were half a character whose replacement completes a stop string.
    outcome.stop_string = s.text->stop_string();
    if (reason == FinishReason::length) outcome.reason = FinishReason::stop;
  }
  outcome.text = pieces_;
  if (error != nullptr) outcome.error = *error;
  totals_.completion_tokens += s.usage.completion_tokens;
  totals_.drafted += s.usage.drafted;
  totals_.accepted += s.usage.accepted;
  s.listener->on_finish(outcome);
}

void Engine::remove_finished() {
  std::erase_if(running_, [this](Owned& s) {
    if (!s->finished) return false;
    cache_.release(s->blocks);
    free_slots_.push_back(s->slot);
    return true;
  });
}

}  // namespace fathom::infer
