#include <unistd.h>

#include <cstdio>

#include "apps/command.h"
#include "apps/opened_model.h"
#include "base/json.h"
#include "eval/bench.h"

namespace fathom::apps {
namespace {

struct BenchArguments : ModelArguments {
  bool json = false;
  eval::BenchPlan plan;
};

OrderedJson result_json(const eval::BenchResult& r) {
  return {{"kind", r.kind},
          {"batch", r.batch},
          {"depth", r.depth},
          {"tokens", r.tokens},
          {"tokens_per_second", r.tokens_per_second},
          {"bytes_per_step", r.bytes_per_step},
          {"bytes_per_second", r.bytes_per_second},
          {"read_bandwidth", r.bandwidth},
          {"bandwidth_share", r.bandwidth_share},
          {"flops_per_second", r.flops_per_second},
          {"flops_share", r.flops_share},
          {"barrier_share", r.barrier_share}};
}

void print_table(const eval::BenchReport& report) {
  std::printf("read bandwidth %.1f GB/s, matrix peak %.2f TFLOP/s\n\n", report.read_bandwidth / 1e9, report.matrix_peak / 1e12);
  std::printf("%-8s %6s %7s %10s %10s %9s %7s %9s %7s %8s\n", "", "batch", "depth", "tokens/s", "MB/step", "GB/s", "share",
              "TFLOP/s", "share", "barrier");
  for (const auto& r : report.results)
    std::printf("%-8s %6ld %7ld %10.1f %10.1f %9.1f %6.0f%% %9.3f %6.0f%% %7.1f%%\n", r.kind.c_str(), static_cast<long>(r.batch),
                static_cast<long>(r.kind == "prefill" ? r.tokens : r.depth), r.tokens_per_second, r.bytes_per_step / 1e6,
                r.bytes_per_second / 1e9, 100 * r.bandwidth_share, r.flops_per_second / 1e12, 100 * r.flops_share, 100 * r.barrier_share);
}

void check_plan(const eval::BenchPlan& plan, const model::Config& config) {
  const auto within = [](const char* name, const std::vector<int64_t>& values, int64_t high) {
    for (int64_t v : values)
      if (v < 1 || v > high)
        throw Exception({name, {}, std::to_string(v) + " is outside [1, " + std::to_string(high) + "]", "name other sizes"});
  };
  within("--prefill", plan.prefill, config.max_position_embeddings);
  within("--depth", plan.depths, config.max_position_embeddings - plan.steps);
  within("--batch", plan.batches, 1024);
}

int bench(const BenchArguments& a) {
  const OpenedModel m(a);
  check_plan(a.plan, m.model.config);
  const bool show = ::isatty(STDERR_FILENO) != 0;
  const auto progress = [show](const std::string& line) {
    if (show) std::fprintf(stderr, "%s ...\n", line.c_str());
  };
  if (show) std::fprintf(stderr, "%s, %s\n", m.runtime.threads_reason.c_str(), std::string(name_of(m.runtime.context.isa)).c_str());
  const eval::BenchReport report = eval::bench(m.runtime.context, m.model, a.plan, m.options, progress);
  if (!a.json) return print_table(report), 0;
  OrderedJson results = OrderedJson::array();
  for (const auto& r : report.results) results.push_back(result_json(r));
  const OrderedJson out = {{"model", a.model},
                           {"mode", a.run.mode},
                           {"isa", std::string(name_of(m.runtime.context.isa))},
                           {"threads", m.runtime.pool->threads()},
                           {"read_bandwidth", report.read_bandwidth},
                           {"matrix_peak", report.matrix_peak},
                           {"results", results}};
  std::printf("%s\n", json_text(out).c_str());
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Run& run) {
  auto a = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure prefill and decoding beside the machine's own limits");
  command->add_option("--prefill", a->plan.prefill, "Prompt lengths")->delimiter(',')->capture_default_str();
  command->add_option("--batch", a->plan.batches, "Sequences that decode together")->delimiter(',')->capture_default_str();
  command->add_option("--depth", a->plan.depths, "Positions each sequence already has")->delimiter(',')->capture_default_str();
  command->add_option("--steps", a->plan.steps, "Decoding steps of a run")->check(CLI::Range(1, 100000))->capture_default_str();
  command->add_option("--pairs", a->plan.pairs, "Runs, each beside a measurement of the limits")->check(CLI::Range(1, 100))->capture_default_str();
  command->add_flag("--json", a->json, "Print one JSON object");
  add_model_arguments(*command, *a);
  command->footer("Example: fathom bench DeepSeek-V3 --prefill 512,4096 --batch 1,16 --depth 1024");
  command->callback([a, &run] { run = [a] { return bench(*a); }; });
}

}  // namespace fathom::apps
