// kernel_bench [--threads N] [--seconds S] [--isa NAME]: speed of the CPU kernels on this machine, each
// beside the limit it runs into: read bandwidth measured in alternation for products with few rows,
// arithmetic for many. First compares every product with the reference at real widths. Tables go to standard
// output.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bench/kernel_cases.h"

namespace fathom::bench {
namespace {

struct Options {
  int threads = 2;
  double seconds = 0.3;
  std::string isa;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--threads") == 0) o.threads = std::max(1, std::atoi(argv[i + 1]));
    if (std::strcmp(argv[i], "--seconds") == 0) o.seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--isa") == 0) o.isa = argv[i + 1];
  }
  return o;
}

// Best of the repetitions that fit into `limit` seconds, at least three, in seconds.
double best_time(double limit, const std::function<void()>& body) {
  double best = INFINITY;
  const Stopwatch all;
  for (int i = 0; i < 3 || all.seconds() < limit; ++i) {
    const Stopwatch one;
    body();
    best = std::min(best, one.seconds());
  }
  return best;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// Five alternations of the machine's reading and the kernel's: medians of both rates and of their ratio.
void print_bandwidth(const Context& ctx, Memory& memory, const std::string& name, int64_t bytes,
                     const std::function<void()>& body) {
  std::vector<double> machine, kernel, share;
  for (int i = 0; i < 5; ++i) {
    const Stopwatch a;
    memory.read_all(ctx);
    machine.push_back(static_cast<double>(memory.bytes()) / a.seconds() * 1e-9);
    const Stopwatch b;
    body();
    kernel.push_back(static_cast<double>(bytes) / b.seconds() * 1e-9);
    share.push_back(kernel.back() / machine.back());
  }
  std::printf("%-8s %-34s %7.2f GB/s of %6.2f  %5.1f %%\n", name_of(ctx.isa).data(), name.c_str(),
              median(kernel), median(machine), 100 * median(share));
  std::fflush(stdout);
}

void print_rate(const Context& ctx, const std::string& name, double flop, double seconds) {
  std::printf("%-8s %-34s %9.3f ms  %8.3f TFLOP/s\n", name_of(ctx.isa).data(), name.c_str(), seconds * 1e3,
              flop / seconds * 1e-12);
  std::fflush(stdout);
}

std::string shape_name(const char* what, DType dtype, int64_t m, int64_t n, int64_t k) {
  char text[96];
  std::snprintf(text, sizeof text, "%s %s m%lld n%lld k%lld", what, fathom::name_of(dtype).data(),
                static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k));
  return text;
}

void few_rows(const Context& ctx, Memory& memory) {
  for (DType dtype : {DType::e4m3, DType::bf16}) {
    for (auto [n, k] : {std::pair<int64_t, int64_t>{2048, 7168}, {1536, 2048}, {2048, 1536}}) {
      for (int64_t m : {1, 4, 16}) {
        const LinearSweep sweep(memory, dtype, m, n, k);
        print_bandwidth(ctx, memory, shape_name("linear", dtype, m, n, k), sweep.bytes(),
                        [&] { sweep.run(ctx); });
      }
    }
  }
}

void many_rows(const Context& ctx, Memory& memory, double seconds) {
  for (DType dtype : {DType::e4m3, DType::bf16, DType::f32}) {
    for (auto [n, k] : {std::pair<int64_t, int64_t>{8192, 2048}, {1536, 2048}}) {
      for (int64_t m : {48, 512}) {
        const LinearSweep one(memory, dtype, m, n, k, 1);
        print_rate(ctx, shape_name("linear", dtype, m, n, k), 2.0 * static_cast<double>(m * n * k),
                   best_time(seconds, [&] { one.run(ctx); }));
      }
    }
  }
  for (int64_t m : {1, 16, 512}) {
    HeadProducts heads(memory, m);
    print_rate(ctx, shape_name("absorb 16 heads", DType::e4m3, m, 512, 128),
               2.0 * 16 * 512 * 128 * static_cast<double>(m), best_time(seconds, [&] { heads.run(ctx); }));
  }
}

void attention(const Context& ctx, Memory& memory, double seconds) {
  for (int64_t heads : {16, 128}) {
    AttentionCase one(1, 16384, heads, 16384 - 1);
    print_bandwidth(ctx, memory, "attention decode 16k, heads " + std::to_string(heads), one.bytes(),
                    [&] { one.run(ctx); });
    for (int64_t depth : {0, 7680}) {
      AttentionCase many(512, depth + 512, heads, depth);
      print_rate(ctx, "attention 512 at " + std::to_string(depth) + ", heads " + std::to_string(heads),
                 many.flop(), best_time(seconds, [&] { many.run(ctx); }));
    }
  }
}

int run(int argc, char** argv) {
  const Options o = parse(argc, argv);
  ThreadPool pool(o.threads);
  std::printf("threads %d\n", o.threads);
  for (Isa isa : available_isas()) {
    if (o.isa.empty() || o.isa == name_of(isa))
      compare_with_reference({Backend::cpu, Mode::fast, isa, &pool});
  }
  Memory memory(int64_t{1} << 30);
  for (Isa isa : available_isas()) {
    if (!o.isa.empty() && o.isa != name_of(isa)) continue;
    const Context ctx{Backend::cpu, Mode::fast, isa, &pool};
    few_rows(ctx, memory);
    many_rows(ctx, memory, o.seconds);
    attention(ctx, memory, o.seconds);
    small_operations(ctx, [&](const std::string& name, const std::function<void()>& body) {
      std::printf("%-8s %-34s %9.2f us\n", name_of(isa).data(), name.c_str(), 1e6 * best_time(0.02, body));
    });
  }
  return 0;
}

}  // namespace
}  // namespace fathom::bench

int main(int argc, char** argv) { return fathom::bench::run(argc, argv); }
