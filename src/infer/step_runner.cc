#include "infer/step_runner.h"

#include <algorithm>

#include "base/check.h"

namespace fathom::infer {

StepRunner::StepRunner(const Context& ctx, const model::Model& model, model::Options options,
                       int64_t max_rows, int64_t max_sequences)
    : workspace_(model.config, max_rows),
      forward_(ctx, model, workspace_, options),
      batch_(max_rows),
      experts_(model.config, max_rows),
      arena_(bytes_needed(model.config, max_rows, max_sequences)),
      previous_(arena_.mat<float>(max_rows, model.config.hidden_size)),
      gathered_(arena_.mat<float>(max_rows, model.config.hidden_size)),
      head_in_(arena_.mat<float>(2 * max_sequences, model.config.hidden_size)),
      logits_(arena_.mat<float>(2 * max_sequences, model.config.vocab_size)),
      prompt_in_(arena_.mat<float>(kMostPromptLogits, model.config.hidden_size)),
      prompt_logits_(arena_.mat<float>(kMostPromptLogits, model.config.vocab_size)) {
  wanted_.reserve(static_cast<size_t>(max_sequences));
}

size_t StepRunner::bytes_needed(const model::Config& c, int64_t max_rows, int64_t max_sequences) {
  const int64_t floats =
      2 * max_rows * c.hidden_size + (2 * max_sequences + kMostPromptLogits) * (c.hidden_size + c.vocab_size);
  return static_cast<size_t>(floats) * sizeof(float) + 6 * 64;
}

void StepRunner::copy_row(Mat<const float> from, int64_t from_row, Mat<float> to, int64_t to_row) {
  std::copy_n(from.row(from_row), from.cols, to.row(to_row));
}

void StepRunner::run_main(std::span<Sequence* const> batch, const Cache& cache) {
  batch_.clear();
  for (Sequence* s : batch) {
    s->first_row = batch_.rows();
    for (int64_t p = s->computed; p < s->computed + s->rows; ++p)
      batch_.add(p < s->size() ? s->tokens[static_cast<size_t>(p)] : s->draft, p, s->slot);
  }
  const Mat<float> hidden = forward_.layers(batch_.step(cache.tables, cache.layers), &experts_);
  const Mat<float> previous = previous_.rows_from(0, batch_.rows());
  const bool prenorm = forward_.options().mtp_prenorm;
  int64_t wanted = 0;
  if (!prenorm) forward_.final_norm(hidden, previous);
  for (Sequence* s : batch) {
    const int64_t first = std::max(s->size() - 1, s->computed), end = s->computed + s->rows;
    s->first_logits = first < end ? wanted : -1;
    for (int64_t p = first; p < end; ++p)
      copy_row(prenorm ? hidden : previous, s->first_row + p - s->computed, head_in_, wanted++);
  }
  if (prenorm)
    for (int64_t r = 0; r < batch_.rows(); ++r) copy_row(hidden, r, previous, r);
  if (wanted == 0) return;
  const Mat<float> head_in = head_in_.rows_from(0, wanted);
  if (prenorm) forward_.final_norm(head_in, head_in);
  forward_.head(head_in, logits_.rows_from(0, wanted));
}

Mat<const float> StepRunner::prompt_logits(int64_t first, int64_t count) {
  FATHOM_CHECK(count <= kMostPromptLogits);
  const Mat<float> in = prompt_in_.rows_from(0, count), out = prompt_logits_.rows_from(0, count);
  for (int64_t r = 0; r < count; ++r) copy_row(previous_, first + r, in, r);
  if (forward_.options().mtp_prenorm) forward_.final_norm(in, in);
  forward_.head(in, out);
  return out;
}

// Only a sequence's last row draws a draft; the rows before it are there for the module's cache.
void StepRunner::run_module(std::span<Sequence* const> batch, const Cache& cache) {
  batch_.clear();
  wanted_.clear();
  for (Sequence* s : batch) {
    const int64_t begin = s->module_computed;
    FATHOM_CHECK(begin + s->accepted_rows < s->size());
    for (int64_t i = 0; i < s->accepted_rows; ++i) {
      copy_row(previous_, s->first_row + i, gathered_, batch_.rows());
      batch_.add(s->tokens[static_cast<size_t>(begin + i + 1)], begin + i, s->slot);
    }
    s->first_logits = s->decoding() ? static_cast<int64_t>(wanted_.size()) : -1;
    if (s->decoding()) wanted_.push_back(static_cast<int32_t>(batch_.rows() - 1));
  }
  const Mat<float> hidden = forward_.mtp_rows(0, batch_.step(cache.tables, cache.layers),
                                              gathered_.rows_from(0, batch_.rows()), wanted_);
  if (wanted_.empty()) return;
  const auto wanted = static_cast<int64_t>(wanted_.size());
  const Mat<float> head_in = head_in_.rows_from(0, wanted);
  forward_.mtp_norm(0, hidden, head_in);
  forward_.mtp_head(0, head_in, logits_.rows_from(0, wanted));
}

}  // namespace fathom::infer
