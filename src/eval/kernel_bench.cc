#include "eval/kernel_bench.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "eval/kernel_cases.h"
#include "eval/median.h"
#include "eval/onednn.h"
#include "kernels/peak.h"

namespace fathom::eval {
namespace {

using Body = std::function<void()>;

double seconds_of(const Body& body) {
  const Stopwatch watch;
  body();
  return watch.seconds();
}

// Best of the repetitions that fit into `limit` seconds, at least three.
double best_time(double limit, const Body& body) {
  double best = INFINITY;
  const Stopwatch all;
  for (int i = 0; i < 3 || all.seconds() < limit; ++i) best = std::min(best, seconds_of(body));
  return best;
}

std::string shape_name(const char* what, DType dtype, int64_t m, int64_t n, int64_t k) {
  return std::string(what) + " " + std::string(fathom::name_of(dtype)) + " m" + std::to_string(m) + " n" +
         std::to_string(n) + " k" + std::to_string(k);
}

class KernelBench {
 public:
  KernelBench(const Context& ctx, const KernelMemory& memory, double seconds, const KernelListener& listener)
      : ctx_(ctx),
        memory_(memory),
        seconds_(seconds),
        listener_(listener),
        peak_(kernels::cpu::matrix_peak(ctx)) {}

  void run() {
    few_rows();
    many_rows();
    attention();
    small_operations(ctx_, [&](const std::string& name, const Body& body) {
      listener_.figure({.isa = ctx_.isa, .name = name, .seconds = best_time(0.02, body)});
    });
  }

  // oneDNN's BF16 product beside ours, in turn.
  void yardstick() {
    constexpr int64_t kM = 512, kN = 8192, kK = 2048;
    std::string why_not;
    const auto theirs = OneDnnProduct::create(kM, kN, kK, ctx_.pool->threads(), why_not);
    if (theirs == nullptr) return listener_.note("no yardstick: " + why_not);
    theirs->run();
    double exact = 0;
    for (int64_t i = 0; i < kK; ++i)
      exact += static_cast<double>(OneDnnProduct::x_value(3, i)) * OneDnnProduct::w_value(7, i);
    if (std::fabs(theirs->result(3, 7) - exact) > 1e-2 * std::fabs(exact) + 1e-2)
      return listener_.note("no yardstick: oneDNN's product is not the one asked for");
    listener_.note("yardstick: oneDNN " + theirs->version() +
                   ", BF16, weights in its own layout, packed before");
    for (DType dtype : {DType::bf16, DType::e4m3}) {
      const LinearSweep ours(memory_, dtype, kM, kN, kK, 1);
      std::vector<double> seconds, yardsticks, shares;
      for (int i = 0; i < 7; ++i) {
        yardsticks.push_back(best_time(0, [&] { theirs->run(); }));
        seconds.push_back(best_time(0, [&] { ours.run(ctx_); }));
        shares.push_back(yardsticks.back() / seconds.back());
      }
      const double flop = 2.0 * kM * kN * kK;
      KernelFigure f =
          rate("beside oneDNN: " + shape_name("linear", dtype, kM, kN, kK), flop, median(seconds));
      f.yardstick = flop / median(yardsticks);
      f.yardstick_share = median(shares);
      listener_.figure(f);
    }
  }

 private:
  KernelFigure rate(const std::string& name, double flop, double seconds) const {
    const double flops = flop / seconds;
    return {.isa = ctx_.isa,
            .name = name,
            .seconds = seconds,
            .flops_per_second = flops,
            .peak_share = flops / peak_};
  }

  // Five alternations of the machine's reading and the kernel's.
  void against_bandwidth(const std::string& name, int64_t bytes, const Body& body) {
    std::vector<double> machine, kernel, share, seconds;
    for (int i = 0; i < 5; ++i) {
      machine.push_back(kernels::cpu::read_bandwidth(ctx_, memory_.bytes()));
      seconds.push_back(seconds_of(body));
      kernel.push_back(static_cast<double>(bytes) / seconds.back());
      share.push_back(kernel.back() / machine.back());
    }
    listener_.figure({.isa = ctx_.isa,
                      .name = name,
                      .seconds = median(seconds),
                      .bytes_per_second = median(kernel),
                      .bandwidth = median(machine),
                      .bandwidth_share = median(share)});
  }

  void few_rows() {
    for (DType dtype : {DType::e4m3, DType::bf16}) {
      for (auto [n, k] : {std::pair<int64_t, int64_t>{2048, 7168}, {1536, 2048}, {2048, 1536}}) {
        for (int64_t m : {1, 4, 16}) {
          const LinearSweep sweep(memory_, dtype, m, n, k);
          against_bandwidth(shape_name("linear", dtype, m, n, k), sweep.bytes(), [&] { sweep.run(ctx_); });
        }
      }
    }
  }

  void many_rows() {
    for (DType dtype : {DType::e4m3, DType::bf16, DType::f32}) {
      for (auto [n, k] : {std::pair<int64_t, int64_t>{8192, 2048}, {1536, 2048}}) {
        for (int64_t m : {48, 512}) {
          const LinearSweep one(memory_, dtype, m, n, k, 1);
          listener_.figure(rate(shape_name("linear", dtype, m, n, k), 2.0 * static_cast<double>(m * n * k),
                                best_time(seconds_, [&] { one.run(ctx_); })));
        }
      }
    }
    for (int64_t m : {1, 16, 512}) {
      HeadProducts heads(memory_, m);
      listener_.figure(rate(shape_name("absorb 16 heads", DType::e4m3, m, 512, 128),
                            2.0 * 16 * 512 * 128 * static_cast<double>(m),
                            best_time(seconds_, [&] { heads.run(ctx_); })));
    }
  }

  void attention() {
    for (int64_t heads : {16, 128}) {
      AttentionCase one(1, 16384, heads, 16384 - 1);
      against_bandwidth("attention decode 16k, heads " + std::to_string(heads), one.bytes(),
                        [&] { one.run(ctx_); });
      for (int64_t depth : {0, 7680}) {
        AttentionCase many(512, depth + 512, heads, depth);
        listener_.figure(
            rate("attention 512 at " + std::to_string(depth) + ", heads " + std::to_string(heads),
                 many.flop(), best_time(seconds_, [&] { many.run(ctx_); })));
      }
    }
  }

  Context ctx_;
  const KernelMemory& memory_;
  double seconds_;
  const KernelListener& listener_;
  double peak_;
};

}  // namespace

void kernel_bench(ThreadPool& pool, const std::vector<Isa>& isas, double seconds,
                  const KernelListener& listener) {
  for (Isa isa : isas) compare_with_reference({Backend::cpu, Mode::fast, isa, &pool}, listener.deviation);
  const KernelMemory memory(int64_t{1} << 30);
  for (Isa isa : isas) {
    KernelBench bench({Backend::cpu, Mode::fast, isa, &pool}, memory, seconds, listener);
    // oneDNN takes the best instruction set there is: only ours of that set is comparable.
    if (isa == best_isa()) bench.yardstick();
    bench.run();
  }
}

}  // namespace fathom::eval
