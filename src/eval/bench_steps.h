// Prefill and decoding steps of a model without an engine around them, and what each step cost.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "eval/bench.h"
#include "infer/expert_record.h"
#include "infer/latent_pool.h"
#include "model/forward.h"
#include "model/residency.h"

namespace fathom::eval {

// What some steps came to.
struct BenchRun {
  double seconds = 0;
  double bytes = 0;       // touched in memory: dense weights, every chosen expert once a step, cache entries
  double flops = 0;       // of products with weights and of attention
  double barrier = 0;     // seconds the caller waited for other threads
  double disk_bytes = 0;  // this process had read from disks
  int64_t steps = 0, tokens = 0, regions = 0;
};

// Random tokens from a fixed seed, so that routing spreads. Not thread-safe.
class BenchSteps {
 public:
  // Room for what the plan asks.
  BenchSteps(const Context& ctx, const model::Model& model, const BenchPlan& plan,
             const model::Options& options);
  static size_t bytes_needed(const model::Model& model, Mode mode, const BenchPlan& plan);

  // `batch` prompts of `length` tokens, one after another in chunks, and the logits of the last token.
  BenchRun prefill(int64_t batch, int64_t length);
  // `steps` steps of `batch` sequences whose cache already holds `depth` positions.
  BenchRun decode(int64_t batch, int64_t depth, int64_t steps);
  // Fills the caches that decode() reads from, as far as no earlier call has.
  void fill(int64_t batch, int64_t depth);

 private:
  void set_row(int64_t row, int64_t sequence, int64_t position);
  void start();
  void finish(BenchRun& run);
  void step(int64_t rows, int64_t outputs, BenchRun& run);
  void account(int64_t rows, int64_t outputs, BenchRun& run);

  const Context& ctx_;
  const model::Model& model_;
  model::WeightBytes bytes_;
  int64_t batch_, per_sequence_;  // sequences, blocks of each
  infer::LatentPool pool_;
  model::Workspace workspace_;
  model::Forward forward_;
  infer::ExpertRecord experts_;
  Stopwatch watch_;
  uint64_t disk_before_ = 0;
  std::vector<int64_t> filled_;  // positions of every sequence
  std::vector<int32_t> tables_, tokens_, positions_, sequences_;
  Buffer normed_, logits_;
};

}  // namespace fathom::eval
