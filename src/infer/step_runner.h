// Runs the model over the rows that a step's sequences ask for.
#pragma once

#include <cstdint>
#include <span>

#include "infer/expert_record.h"
#include "infer/sequence.h"
#include "infer/step_batch.h"
#include "model/forward.h"
#include "tensor/buffer.h"

namespace fathom::infer {

// One thread at a time; allocates nothing after construction.
class StepRunner {
 public:
  // Steps of up to `max_rows` rows from up to `max_sequences` sequences with at most two logits rows each. Of
  // what it gets, the context's pool and the model outlive it.
  StepRunner(const Context& ctx, const model::Model& model, model::Options options, int64_t max_rows,
             int64_t max_sequences);

  static size_t bytes_needed(const model::Config& config, int64_t max_rows, int64_t max_sequences);

  struct Cache {
    Mat<const int32_t> tables;
    std::span<const kernels::PagedLatent> layers;
  };

  // Computes the next `rows` positions of every sequence (the tokens and then the draft) and the logits of
  // those from its last token on. Sets first_row and first_logits. Throws Exception when a weight is damaged;
  // the sequences are then as before and may be run again.
  void run_main(std::span<Sequence* const> batch, const Cache& cache);
  // Computes the MTP module over the accepted rows of the same batch, which must have been run last.
  // Sequences that decode get logits of their draft; of the others first_logits becomes -1.
  void run_module(std::span<Sequence* const> batch, const Cache& cache);

  // Of the rows [first, first + count) of the last run_main, whatever they are for. Valid until the next
  // call. REQUIRES: count <= kMostPromptLogits.
  static constexpr int64_t kMostPromptLogits = 32;
  Mat<const float> prompt_logits(int64_t first, int64_t count);
  // What the main model's rows of the last run_main chose.
  const ExpertRecord& experts() const { return experts_; }

  std::span<const float> logits(int64_t row) const {
    return {logits_.row(row), static_cast<size_t>(logits_.cols)};
  }

 private:
  void copy_row(Mat<const float> from, int64_t from_row, Mat<float> to, int64_t to_row);

  model::Workspace workspace_;
  model::Forward forward_;
  StepBatch batch_;
  std::vector<int32_t> wanted_;  // rows of run_module that draw
  ExpertRecord experts_;
  Arena arena_;
  Mat<float> previous_;                   // [rows, H] what the module takes, of run_main's rows
  Mat<float> gathered_;                   // [rows, H] of the rows that run_module takes
  Mat<float> head_in_;                    // [logits rows, H]
  Mat<float> logits_;                     // [logits rows, V]
  Mat<float> prompt_in_, prompt_logits_;  // [kMostPromptLogits, H], [the same, V]
};

}  // namespace fathom::infer
