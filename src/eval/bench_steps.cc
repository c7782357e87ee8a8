#include "eval/bench_steps.h"

#include <algorithm>

#include "base/rng.h"
#include "io/disk.h"

namespace fathom::eval {
namespace {

constexpr int64_t kPromptChunk = 512;

int64_t largest(const std::vector<int64_t>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}
int64_t sequences_of(const BenchPlan& plan) {
  return std::max<int64_t>({1, largest(plan.batches), largest(plan.prefill_batches)});
}
int64_t blocks_of(const BenchPlan& plan) {
  const int64_t length = std::max({int64_t{1}, largest(plan.prefill), largest(plan.depths) + plan.steps});
  return infer::LatentPool::blocks_for(length);
}
int64_t rows_of(const BenchPlan& plan) { return std::max(kPromptChunk, sequences_of(plan)); }

}  // namespace

size_t BenchSteps::bytes_needed(const model::Model& model, Mode mode, const BenchPlan& plan) {
  const int64_t sequences = sequences_of(plan), rows = rows_of(plan);
  return static_cast<size_t>(sequences * blocks_of(plan)) *
             infer::LatentPool::block_bytes(model.config, mode) +
         model::Workspace::bytes_needed(model.config, rows) +
         static_cast<size_t>(rows * model.config.hidden_size + sequences * model.config.vocab_size) *
             sizeof(float);
}

BenchSteps::BenchSteps(const Context& ctx, const model::Model& model, const BenchPlan& plan,
                       const model::Options& options)
    : ctx_(ctx),
      model_(model),
      bytes_(model::weight_bytes(model)),
      batch_(sequences_of(plan)),
      per_sequence_(blocks_of(plan)),
      pool_(model.config, ctx.mode, per_sequence_ * batch_),
      workspace_(model.config, rows_of(plan)),
      forward_(ctx, model, workspace_, options),
      experts_(model.config, rows_of(plan)),
      filled_(static_cast<size_t>(batch_)) {
  for (int64_t b = 0; b < pool_.blocks(); ++b) tables_.push_back(pool_.acquire());
  const size_t rows = static_cast<size_t>(workspace_.max_rows());
  tokens_.resize(rows), positions_.resize(rows), sequences_.resize(rows);
  normed_ = Buffer(rows * static_cast<size_t>(model.config.hidden_size) * sizeof(float));
  logits_ = Buffer(static_cast<size_t>(batch_ * model.config.vocab_size) * sizeof(float));
}

BenchRun BenchSteps::prefill(int64_t batch, int64_t length) {
  BenchRun run{.tokens = batch * length};
  start();
  for (int64_t first = 0; first < batch * length; first += kPromptChunk) {
    const int64_t rows = std::min(kPromptChunk, batch * length - first);
    for (int64_t r = 0; r < rows; ++r) set_row(r, (first + r) / length, (first + r) % length);
    step(rows, first + rows == batch * length ? 1 : 0, run);
  }
  finish(run);
  return run;
}

BenchRun BenchSteps::decode(int64_t batch, int64_t depth, int64_t steps) {
  BenchRun run{.tokens = batch * steps};
  start();
  for (int64_t s = 0; s < steps; ++s) {
    for (int64_t b = 0; b < batch; ++b) set_row(b, b, depth + s);
    step(batch, batch, run);
  }
  finish(run);
  return run;
}

void BenchSteps::fill(int64_t batch, int64_t depth) {
  BenchRun ignored;
  for (int64_t b = 0; b < batch; ++b) {
    int64_t& filled = filled_[static_cast<size_t>(b)];
    for (; filled < depth;) {
      const int64_t rows = std::min(kPromptChunk, depth - filled);
      for (int64_t r = 0; r < rows; ++r) set_row(r, b, filled + r);
      step(rows, 0, ignored);
      filled += rows;
    }
  }
}

// A token depends on its place alone: whoever fills a position fills it alike.
void BenchSteps::set_row(int64_t row, int64_t sequence, int64_t position) {
  const size_t r = static_cast<size_t>(row);
  sequences_[r] = static_cast<int32_t>(sequence);
  positions_[r] = static_cast<int32_t>(position);
  const auto words = philox(1, static_cast<uint64_t>(position), static_cast<uint64_t>(sequence));
  tokens_[r] = static_cast<int32_t>(words[0] % static_cast<uint64_t>(model_.config.vocab_size));
}

void BenchSteps::start() {
  ctx_.pool->take_wait_seconds();
  ctx_.pool->take_regions();
  disk_before_ = io::process_disk_bytes();
  watch_.restart();
}

void BenchSteps::finish(BenchRun& run) {
  run.seconds = watch_.seconds();
  run.barrier = ctx_.pool->take_wait_seconds();
  run.regions = ctx_.pool->take_regions();
  run.disk_bytes = static_cast<double>(io::process_disk_bytes() - disk_before_);
}

// One step over the rows that set_row() named; logits of the last `outputs` rows.
void BenchSteps::step(int64_t rows, int64_t outputs, BenchRun& run) {
  const auto count = static_cast<size_t>(rows);
  const model::Config& c = model_.config;
  const Mat<float> hidden = forward_.layers({.tokens = std::span<const int32_t>(tokens_).first(count),
                                             .positions = std::span<const int32_t>(positions_).first(count),
                                             .rows = {.rows = rows,
                                                      .sequence = sequences_.data(),
                                                      .position = positions_.data(),
                                                      .tables = {tables_.data(), batch_, per_sequence_}},
                                             .cache = pool_.layers()},
                                            &experts_);
  if (outputs > 0) {
    const Mat<float> x{reinterpret_cast<float*>(normed_.data()), outputs, c.hidden_size};
    forward_.final_norm(hidden.rows_from(rows - outputs, outputs), x);
    forward_.head(x, {reinterpret_cast<float*>(logits_.data()), outputs, c.vocab_size});
  }
  account(rows, outputs, run);
}

void BenchSteps::account(int64_t rows, int64_t outputs, BenchRun& run) {
  const model::Config& c = model_.config;
  const double head = static_cast<double>(model_.parameters.head.bytes());
  double keys = 0, longest_keys = 0;
  for (int64_t r = 0; r < rows; ++r) keys += positions_[static_cast<size_t>(r)] + 1.0;
  // Rows of one sequence read the same entries: each sequence's cache counts once.
  for (int64_t r = 0; r < rows; ++r)
    if (r + 1 == rows || sequences_[static_cast<size_t>(r)] != sequences_[static_cast<size_t>(r) + 1])
      longest_keys += positions_[static_cast<size_t>(r)] + 1.0;
  const double entry = static_cast<double>(c.latent_width()) * (ctx_.mode == Mode::fast ? 2 : 4);
  int64_t moe_layers = 0;
  for (int64_t l = 0; l < c.num_hidden_layers; ++l) moe_layers += c.is_moe(l) ? 1 : 0;
  const double experts = moe_layers == 0 ? 0
                                         : static_cast<double>(bytes_.experts) /
                                               static_cast<double>(moe_layers * c.n_routed_experts);
  const double layers = static_cast<double>(c.num_hidden_layers);
  run.bytes += static_cast<double>(bytes_.dense) - (outputs > 0 ? 0 : head) +
               experts * static_cast<double>(experts_.touched()) + longest_keys * entry * layers;
  const double parameters =
      static_cast<double>(model::count_parameters(c).activated - c.vocab_size * c.hidden_size * 2);
  run.flops += 2 * (parameters * static_cast<double>(rows) +
                    static_cast<double>(c.vocab_size * c.hidden_size * outputs)) +
               2 * keys * layers *
                   static_cast<double>(c.num_attention_heads * (2 * c.kv_lora_rank + c.qk_rope_head_dim));
  ++run.steps;
}

}  // namespace fathom::eval
