#include "apps/bench_kernels.h"

#include <cstdio>

#include "base/json.h"
#include "eval/kernel_bench.h"

namespace fathom::apps {
namespace {

std::string isa_text(Isa isa) { return std::string(name_of(isa)); }

void print_deviation(const eval::KernelDeviation& d) {
  std::printf("%-8s %-24s against ref: %6.3f units of %s (sound up to %g)\n", isa_text(d.isa).c_str(),
              d.name.c_str(), d.value, d.unit.c_str(), d.bound);
  std::fflush(stdout);
}

void print_figure(const eval::KernelFigure& f) {
  std::printf("%-8s %-42s %10.3f ms", isa_text(f.isa).c_str(), f.name.c_str(), f.seconds * 1e3);
  if (f.bytes_per_second > 0)
    std::printf("  %7.2f GB/s of %6.2f, %3.0f %%", f.bytes_per_second / 1e9, f.bandwidth / 1e9,
                100 * f.bandwidth_share);
  if (f.flops_per_second > 0)
    std::printf("  %8.3f TFLOP/s, %3.0f %% of the peak", f.flops_per_second / 1e12, 100 * f.peak_share);
  if (f.yardstick > 0)
    std::printf(", %3.0f %% of oneDNN's %.3f", 100 * f.yardstick_share, f.yardstick / 1e12);
  std::printf("\n");
  std::fflush(stdout);
}

OrderedJson figure_json(const eval::KernelFigure& f) {
  OrderedJson out = {{"isa", isa_text(f.isa)}, {"name", f.name}, {"seconds", f.seconds}};
  if (f.bytes_per_second > 0)
    out.update({{"bytes_per_second", f.bytes_per_second},
                {"read_bandwidth", f.bandwidth},
                {"bandwidth_share", f.bandwidth_share}});
  if (f.flops_per_second > 0)
    out.update({{"flops_per_second", f.flops_per_second}, {"flops_share", f.peak_share}});
  if (f.yardstick > 0)
    out.update({{"onednn_flops_per_second", f.yardstick}, {"onednn_share", f.yardstick_share}});
  return out;
}

}  // namespace

int bench_kernels(const RunOptions& options, double seconds, bool json) {
  const Runtime runtime = make_runtime(options);
  OrderedJson deviations = OrderedJson::array(), figures = OrderedJson::array(), notes = OrderedJson::array();
  bool sound = true;
  if (!json) std::printf("%s\n", runtime.threads_reason.c_str());
  const eval::KernelListener listener = {
      .deviation =
          [&](const eval::KernelDeviation& d) {
            sound = sound && d.value <= d.bound;
            if (!json) return print_deviation(d);
            deviations.push_back({{"isa", isa_text(d.isa)},
                                  {"name", d.name},
                                  {"unit", d.unit},
                                  {"value", d.value},
                                  {"bound", d.bound}});
          },
      .figure =
          [&](const eval::KernelFigure& f) { json ? figures.push_back(figure_json(f)) : print_figure(f); },
      .note =
          [&](const std::string& note) {
            json ? notes.push_back(note) : static_cast<void>(std::printf("%s\n", note.c_str()));
          }};
  const std::vector<Isa> isas =
      options.isa.empty() ? available_isas() : std::vector<Isa>{runtime.context.isa};
  eval::kernel_bench(*runtime.pool, isas, seconds, listener);
  if (json)
    std::printf("%s\n", json_text(OrderedJson{{"threads", runtime.pool->threads()},
                                              {"sound", sound},
                                              {"notes", notes},
                                              {"deviations", deviations},
                                              {"figures", figures}})
                            .c_str());
  return sound ? 0 : 1;
}

}  // namespace fathom::apps
