#include "eval/bench.h"

#include <algorithm>
#include <numeric>

#include "base/clock.h"
#include "base/rng.h"
#include "infer/latent_pool.h"
#include "kernels/peak.h"
#include "model/forward.h"
#include "model/residency.h"

namespace fathom::eval {
namespace {

constexpr size_t kBandwidthBuffer = size_t{2} << 30;
constexpr int64_t kChunk = 512;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Counts experts that a step touched, over all layers.
class ExpertCounter final : public model::Observer {
 public:
  explicit ExpertCounter(int64_t experts) : seen_(static_cast<size_t>(experts)) {}
  void routed(int64_t, Mat<const float>, Mat<const int32_t> index, Mat<const float>) override {
    std::fill(seen_.begin(), seen_.end(), false);
    for (int64_t r = 0; r < index.rows; ++r)
      for (int64_t k = 0; k < index.cols; ++k) seen_[static_cast<size_t>(index.row(r)[k])] = true;
    touched_ += std::count(seen_.begin(), seen_.end(), true);
  }
  int64_t take() { return std::exchange(touched_, 0); }

 private:
  std::vector<bool> seen_;
  int64_t touched_ = 0;
};

struct Run {
  double seconds = 0, bytes = 0, flops = 0, barrier = 0;
  int64_t steps = 0, tokens = 0;
};

class Bench {
 public:
  Bench(const Context& ctx, const model::Model& model, const BenchPlan& plan, const model::Options& options)
      : ctx_(ctx),
        model_(model),
        bytes_(model::weight_bytes(model)),
        batch_(std::max<int64_t>(1, plan.batches.empty() ? 1 : *std::max_element(plan.batches.begin(), plan.batches.end()))),
        length_(longest(plan)),
        per_sequence_(infer::LatentPool::blocks_for(length_)),
        pool_(model.config, ctx.mode, per_sequence_ * batch_),
        workspace_(model.config, std::max(kChunk, batch_)),
        forward_(ctx, model, workspace_, options),
        counter_(model.config.n_routed_experts) {
    for (int64_t b = 0; b < pool_.blocks(); ++b) tables_.push_back(pool_.acquire());
    const size_t rows = static_cast<size_t>(workspace_.max_rows());
    tokens_.resize(rows), positions_.resize(rows), sequences_.resize(rows);
    normed_ = Buffer(rows * static_cast<size_t>(model.config.hidden_size) * sizeof(float));
    logits_ = Buffer(static_cast<size_t>(batch_ * model.config.vocab_size) * sizeof(float));
  }

  // A prompt of `length` tokens in chunks, and the logits of its last.
  Run prefill(int64_t length) {
    Run run{.tokens = length};
    start();
    for (int64_t first = 0; first < length; first += kChunk) {
      const int64_t rows = std::min(kChunk, length - first);
      for (int64_t r = 0; r < rows; ++r) set_row(r, 0, first + r);
      step(rows, 1, run);
    }
    finish(run);
    return run;
  }

  // `steps` steps of `batch` sequences whose cache already holds `depth` positions.
  Run decode(int64_t batch, int64_t depth, int64_t steps) {
    Run run{.tokens = batch * steps};
    start();
    for (int64_t s = 0; s < steps; ++s) {
      for (int64_t b = 0; b < batch; ++b) set_row(b, b, depth + s);
      step(batch, batch, run);
    }
    finish(run);
    return run;
  }

  // Fills the caches that decode() reads from.
  void fill(int64_t batch, int64_t depth) {
    Run ignored;
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t first = 0; first < depth; first += kChunk) {
        const int64_t rows = std::min(kChunk, depth - first);
        for (int64_t r = 0; r < rows; ++r) set_row(r, b, first + r);
        step(rows, 0, ignored);
      }
    }
  }

 private:
  static int64_t longest(const BenchPlan& plan) {
    int64_t length = 1;
    for (int64_t p : plan.prefill) length = std::max(length, p);
    for (int64_t d : plan.depths) length = std::max(length, d + plan.steps);
    return length;
  }

  void set_row(int64_t row, int64_t sequence, int64_t position) {
    const size_t r = static_cast<size_t>(row);
    sequences_[r] = static_cast<int32_t>(sequence);
    positions_[r] = static_cast<int32_t>(position);
    const auto words = philox(1, static_cast<uint64_t>(position), static_cast<uint64_t>(sequence));
    tokens_[r] = static_cast<int32_t>(words[0] % static_cast<uint64_t>(model_.config.vocab_size));
  }

  void start() {
    ctx_.pool->take_wait_seconds();
    watch_.restart();
  }
  void finish(Run& run) {
    run.seconds = watch_.seconds();
    run.barrier = ctx_.pool->take_wait_seconds();
  }

  // One step over the rows that set_row() named; logits of the last `outputs` rows.
  void step(int64_t rows, int64_t outputs, Run& run) {
    const auto count = static_cast<size_t>(rows);
    const model::Config& c = model_.config;
    const Mat<float> hidden = forward_.layers({.tokens = std::span<const int32_t>(tokens_).first(count),
                                               .positions = std::span<const int32_t>(positions_).first(count),
                                               .rows = {.rows = rows,
                                                        .sequence = sequences_.data(),
                                                        .position = positions_.data(),
                                                        .tables = {tables_.data(), batch_, per_sequence_}},
                                               .cache = pool_.layers()},
                                              &counter_);
    if (outputs > 0) {
      const Mat<float> x{reinterpret_cast<float*>(normed_.data()), outputs, c.hidden_size};
      forward_.final_norm(hidden.rows_from(rows - outputs, outputs), x);
      forward_.head(x, {reinterpret_cast<float*>(logits_.data()), outputs, c.vocab_size});
    }
    account(rows, outputs, run);
  }

  void account(int64_t rows, int64_t outputs, Run& run) {
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
    const double experts = moe_layers == 0 ? 0 : static_cast<double>(bytes_.experts) / static_cast<double>(moe_layers * c.n_routed_experts);
    const double layers = static_cast<double>(c.num_hidden_layers);
    run.bytes += static_cast<double>(bytes_.dense) - (outputs > 0 ? 0 : head) + experts * static_cast<double>(counter_.take()) +
                 longest_keys * entry * layers;
    const double parameters = static_cast<double>(model::count_parameters(c).activated - c.vocab_size * c.hidden_size * 2);
    run.flops += 2 * (parameters * static_cast<double>(rows) + static_cast<double>(c.vocab_size * c.hidden_size * outputs)) +
                 2 * keys * layers * static_cast<double>(c.num_attention_heads * (2 * c.kv_lora_rank + c.qk_rope_head_dim));
    ++run.steps;
  }

  const Context& ctx_;
  const model::Model& model_;
  model::WeightBytes bytes_;
  int64_t batch_, length_, per_sequence_;
  infer::LatentPool pool_;
  model::Workspace workspace_;
  model::Forward forward_;
  ExpertCounter counter_;
  Stopwatch watch_;
  std::vector<int32_t> tables_, tokens_, positions_, sequences_;
  Buffer normed_, logits_;
};

}  // namespace

BenchReport bench(const Context& ctx, const model::Model& model, const BenchPlan& plan, const model::Options& options,
                  const std::function<void(const std::string&)>& progress) {
  BenchReport report;
  Buffer memory(kBandwidthBuffer);
  ctx.pool->run(static_cast<int64_t>(kBandwidthBuffer >> 21), [&](int64_t page, int) {
    std::fill_n(memory.data() + (static_cast<size_t>(page) << 21), size_t{1} << 21, std::byte{1});
  });
  const std::span<const std::byte> readable{memory.data(), memory.bytes()};
  progress("limits of the machine");
  report.matrix_peak = kernels::cpu::matrix_peak(ctx);
  std::vector<double> bandwidths;
  Bench runs(ctx, model, plan, options);

  const auto measure = [&](BenchResult result, const auto& run_once) {
    run_once();  // pages in, scratch grown
    std::vector<double> rate, bytes, share, flops, bandwidth, barrier;
    for (int p = 0; p < plan.pairs; ++p) {
      bandwidth.push_back(kernels::cpu::read_bandwidth(ctx, readable));
      const Run run = run_once();
      rate.push_back(static_cast<double>(run.tokens) / run.seconds);
      bytes.push_back(run.bytes / run.seconds);
      share.push_back(bytes.back() / bandwidth.back());
      flops.push_back(run.flops / run.seconds);
      barrier.push_back(run.barrier / run.seconds);
      result.tokens = run.tokens;
      result.bytes_per_step = run.bytes / static_cast<double>(run.steps);
    }
    bandwidths.insert(bandwidths.end(), bandwidth.begin(), bandwidth.end());
    result.tokens_per_second = median(rate);
    result.bytes_per_second = median(bytes);
    result.bandwidth = median(bandwidth);
    result.bandwidth_share = median(share);
    result.flops_per_second = median(flops);
    result.flops_share = result.flops_per_second / report.matrix_peak;
    result.barrier_share = median(barrier);
    report.results.push_back(result);
  };
  for (int64_t length : plan.prefill) {
    progress("prefill of " + std::to_string(length));
    measure({.kind = "prefill", .depth = 0}, [&] { return runs.prefill(length); });
  }
  for (int64_t depth : plan.depths) {
    for (int64_t batch : plan.batches) {
      progress("decode of " + std::to_string(batch) + " at depth " + std::to_string(depth));
      runs.fill(batch, depth);
      measure({.kind = "decode", .batch = batch, .depth = depth}, [&] { return runs.decode(batch, depth, plan.steps); });
    }
  }
  report.read_bandwidth = bandwidths.empty() ? kernels::cpu::read_bandwidth(ctx, readable) : median(bandwidths);
  return report;
}

}  // namespace fathom::eval
