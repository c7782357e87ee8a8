#include "eval/bench.h"

#include <algorithm>

#include "eval/bench_steps.h"
#include "eval/median.h"
#include "io/disk.h"
#include "kernels/peak.h"

namespace fathom::eval {
namespace {

constexpr size_t kPage = size_t{2} << 20;  // what one chunk of work touches
constexpr double kDiskSeconds = 0.3;

class Measurement {
 public:
  Measurement(const Context& ctx, const model::Model& model, const BenchPlan& plan,
              const model::Options& options)
      : ctx_(ctx),
        model_(model),
        plan_(plan),
        streams_(options.residency != nullptr && options.residency->streams()),
        memory_(std::max(plan.bandwidth_bytes / kPage, size_t{2}) * kPage),
        steps_(ctx, model, plan, options) {
    ctx.pool->run(static_cast<int64_t>(memory_.bytes() / kPage), [&](int64_t page, int) {
      std::fill_n(memory_.data() + static_cast<size_t>(page) * kPage, kPage, std::byte{1});
    });
    report_.matrix_peak = kernels::cpu::matrix_peak(ctx);
  }

  void prefill(int64_t batch, int64_t length) {
    measure({.kind = "prefill", .batch = batch, .length = length},
            [&] { return steps_.prefill(batch, length); });
  }
  void decode(int64_t batch, int64_t depth) {
    steps_.fill(batch, depth);
    measure({.kind = "decode", .batch = batch, .length = depth},
            [&] { return steps_.decode(batch, depth, plan_.steps); });
  }
  BenchReport take() {
    if (bandwidths_.empty()) bandwidths_.push_back(read_bandwidth());
    report_.read_bandwidth = median(bandwidths_);
    if (!disk_rates_.empty()) report_.disk_rate = median(disk_rates_);
    return std::move(report_);
  }

 private:
  double read_bandwidth() { return kernels::cpu::read_bandwidth(ctx_, {memory_.data(), memory_.bytes()}); }
  double disk_rate() {
    disk_rates_.push_back(io::disk_read_rate(model_.directory, kDiskSeconds).value_or(0));
    return disk_rates_.back();
  }

  template <class RunOnce>
  void measure(BenchResult result, RunOnce run_once) {
    const double first_disk = streams_ ? disk_rate() : 0;
    const BenchRun first = run_once();  // pages in, scratch grown
    std::vector<BenchRun> runs;
    std::vector<double> bandwidths, disks;
    for (int p = 0; p < plan_.pairs; ++p) {
      bandwidths.push_back(read_bandwidth());
      disks.push_back(streams_ ? disk_rate() : 0);
      runs.push_back(run_once());
    }
    const auto of = [&](auto value) {
      std::vector<double> values;
      for (size_t i = 0; i < runs.size(); ++i) values.push_back(value(runs[i], i));
      return median(values);
    };
    const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
    const auto tokens = static_cast<double>(first.tokens), steps = static_cast<double>(first.steps);
    result.tokens_per_second = of([&](const BenchRun& r, size_t) { return tokens / r.seconds; });
    result.bytes_per_step = runs.front().bytes / steps;
    result.bytes_per_token = runs.front().bytes / tokens;
    result.bytes_per_second = of([](const BenchRun& r, size_t) { return r.bytes / r.seconds; });
    result.bandwidth = median(bandwidths);
    result.bandwidth_share =
        of([&](const BenchRun& r, size_t i) { return r.bytes / r.seconds / bandwidths[i]; });
    result.flops_per_second = of([](const BenchRun& r, size_t) { return r.flops / r.seconds; });
    result.flops_share = result.flops_per_second / report_.matrix_peak;
    result.barrier_share = of([](const BenchRun& r, size_t) { return r.barrier / r.seconds; });
    result.barrier_seconds =
        of([](const BenchRun& r, size_t) { return r.barrier / static_cast<double>(r.regions); });
    result.regions_per_step = static_cast<double>(runs.front().regions) / steps;
    if (streams_) {
      result.disk_bytes_per_token = of([&](const BenchRun& r, size_t) { return r.disk_bytes / tokens; });
      result.disk_bytes_per_second = of([](const BenchRun& r, size_t) { return r.disk_bytes / r.seconds; });
      result.disk_rate = median(disks);
      result.disk_share =
          of([&](const BenchRun& r, size_t i) { return share(r.disk_bytes / r.seconds, disks[i]); });
      result.first_tokens_per_second = tokens / first.seconds;
      result.first_disk_bytes_per_second = first.disk_bytes / first.seconds;
      result.first_disk_share = share(result.first_disk_bytes_per_second, first_disk);
    }
    bandwidths_.insert(bandwidths_.end(), bandwidths.begin(), bandwidths.end());
    report_.results.push_back(result);
  }

  const Context& ctx_;
  const model::Model& model_;
  const BenchPlan& plan_;
  bool streams_;
  Buffer memory_;
  BenchSteps steps_;
  std::vector<double> bandwidths_, disk_rates_;
  BenchReport report_;
};

}  // namespace

uint64_t bench_bytes(const model::Model& model, Mode mode, const BenchPlan& plan) {
  return plan.bandwidth_bytes + BenchSteps::bytes_needed(model, mode, plan);
}

BenchReport bench(const Context& ctx, const model::Model& model, const BenchPlan& plan,
                  const model::Options& options, const std::function<void(const std::string&)>& progress) {
  progress("limits of the machine");
  Measurement measurement(ctx, model, plan, options);
  for (int64_t length : plan.prefill) {
    for (int64_t batch : plan.prefill_batches) {
      progress("prefill of " + std::to_string(batch) + " x " + std::to_string(length));
      measurement.prefill(batch, length);
    }
  }
  for (int64_t depth : plan.depths) {
    for (int64_t batch : plan.batches) {
      progress("decode of " + std::to_string(batch) + " at depth " + std::to_string(depth));
      measurement.decode(batch, depth);
    }
  }
  return measurement.take();
}

}  // namespace fathom::eval
