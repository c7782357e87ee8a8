#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "apps/bench_kernels.h"
#include "apps/bench_mtp.h"
#include "apps/byte_size.h"
#include "apps/command.h"
#include "apps/opened_model.h"
#include "base/json.h"
#include "base/machine.h"
#include "eval/bench.h"

namespace fathom::apps {
namespace {

struct BenchArguments : EngineArguments {
  bool json = false, kernels = false, mtp_gain = false;
  double seconds = 0.3;
  std::string bandwidth_memory;
  std::vector<int> threads;  // empty: as many as fit the machine
  eval::BenchPlan plan;
};

OrderedJson result_json(const eval::BenchResult& r, const eval::BenchReport& report, int threads) {
  OrderedJson out = {{"kind", r.kind},
                     {"threads", threads},
                     {"batch", r.batch},
                     {r.kind == "prefill" ? "length" : "depth", r.length},
                     {"tokens_per_second", r.tokens_per_second},
                     {"bytes_per_token", r.bytes_per_token},
                     {"bytes_per_step", r.bytes_per_step},
                     {"bytes_per_second", r.bytes_per_second},
                     {"read_bandwidth", r.bandwidth},
                     {"bandwidth_share", r.bandwidth_share},
                     {"flops_per_second", r.flops_per_second},
                     {"matrix_peak", report.matrix_peak},
                     {"flops_share", r.flops_share},
                     {"barrier_share", r.barrier_share},
                     {"barrier_seconds", r.barrier_seconds},
                     {"regions_per_step", r.regions_per_step}};
  if (report.disk_rate > 0)
    out.update({{"disk_bytes_per_token", r.disk_bytes_per_token},
                {"disk_bytes_per_second", r.disk_bytes_per_second},
                {"disk_rate", r.disk_rate},
                {"disk_share", r.disk_share},
                {"first_tokens_per_second", r.first_tokens_per_second},
                {"first_disk_bytes_per_second", r.first_disk_bytes_per_second},
                {"first_disk_share", r.first_disk_share}});
  return out;
}

void print_table(const eval::BenchReport& report, const std::string& threads) {
  std::printf("%s: read bandwidth %.1f GB/s, matrix peak %.2f TFLOP/s", threads.c_str(),
              report.read_bandwidth / 1e9, report.matrix_peak / 1e12);
  if (report.disk_rate > 0) std::printf(", disk %.2f GB/s", report.disk_rate / 1e9);
  std::printf("\n%-8s %6s %7s %10s %10s %8s %6s %9s %6s %8s %10s\n", "", "batch", "tokens", "tokens/s",
              "MB/token", "GB/s", "share", "TFLOP/s", "share", "barriers", "a barrier");
  for (const auto& r : report.results) {
    std::printf("%-8s %6ld %7ld %10.1f %10.1f %8.1f %5.0f%% %9.3f %5.0f%% %7.1f%% %7.1f us\n", r.kind.c_str(),
                static_cast<long>(r.batch), static_cast<long>(r.length), r.tokens_per_second,
                r.bytes_per_token / 1e6, r.bytes_per_second / 1e9, 100 * r.bandwidth_share,
                r.flops_per_second / 1e12, 100 * r.flops_share, 100 * r.barrier_share,
                1e6 * r.barrier_seconds);
    if (report.disk_rate > 0)
      std::printf(
          "%23s from the disk %.1f MB/token, %.2f GB/s, %.0f%% of its rate; at first %.1f tokens/s, %.2f "
          "GB/s, %.0f%%\n",
          "", r.disk_bytes_per_token / 1e6, r.disk_bytes_per_second / 1e9, 100 * r.disk_share,
          r.first_tokens_per_second, r.first_disk_bytes_per_second / 1e9, 100 * r.first_disk_share);
  }
  std::fflush(stdout);
}

// Of this process, at its highest, mapped weights included, without the buffer that the bandwidth is measured
// with.
uint64_t peak_memory(const eval::BenchPlan& plan) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024 - plan.bandwidth_bytes;
}

void check_plan(eval::BenchPlan& plan, const model::Config& config) {
  const auto within = [](const char* name, std::vector<int64_t>& values, int64_t high) {
    std::erase(values, 0);  // 0: leave it out
    for (int64_t v : values)
      if (v < 1 || v > high)
        throw Exception({name,
                         {},
                         std::to_string(v) + " is outside [1, " + std::to_string(high) + "]",
                         "name other sizes"});
  };
  within("--prefill", plan.prefill, config.max_position_embeddings);
  within("--prefill-batch", plan.prefill_batches, 1024);
  within("--depth", plan.depths, config.max_position_embeddings - plan.steps);
  within("--batch", plan.batches, 1024);
}

int bench(BenchArguments& a) {
  std::vector<int> threads = a.threads.empty() ? std::vector<int>{0} : a.threads;
  a.run.threads = *std::max_element(threads.begin(), threads.end());
  if (a.kernels) return bench_kernels(a.run, a.seconds, a.json);
  if (a.model.empty()) throw Exception({"bench", {}, "names no model", "name a directory, or --kernels"});
  if (a.mtp_gain) return bench_mtp(a, a.plan.pairs, a.json);
  OpenedModel m(a);
  check_plan(a.plan, m.model.config);
  // Several times any cache where memory allows, and no load on a machine that is short of it.
  a.plan.bandwidth_bytes =
      a.bandwidth_memory.empty()
          ? std::clamp<uint64_t>(available_memory() / 8, uint64_t{64} << 20, uint64_t{2} << 30)
          : parse_byte_size(a.bandwidth_memory, "--bandwidth-memory");
  m.settle_in_memory(eval::bench_bytes(m.model, m.runtime.context.mode, a.plan));
  const bool show = ::isatty(STDERR_FILENO) != 0;
  const auto progress = [show](const std::string& line) {
    if (show) std::fprintf(stderr, "%s ...\n", line.c_str());
  };
  OrderedJson results = OrderedJson::array();
  eval::BenchReport last;
  for (int count : threads) {
    RunOptions run = a.run;
    run.threads = count;
    const Runtime runtime = make_runtime(run);
    last = eval::bench(runtime.context, m.model, a.plan, m.options, progress);
    if (!a.json) print_table(last, runtime.threads_reason + ", " + std::string(name_of(runtime.context.isa)));
    for (const auto& r : last.results) results.push_back(result_json(r, last, runtime.pool->threads()));
  }
  if (!a.json)
    return std::printf("memory at its highest: %s\n", byte_size_text(peak_memory(a.plan)).c_str()), 0;
  OrderedJson out = {{"model", a.model},
                     {"mode", a.run.mode},
                     {"isa", std::string(name_of(m.runtime.context.isa))},
                     {"threads", m.runtime.pool->threads()},
                     {"threads_reason", m.runtime.threads_reason},
                     {"peak_memory", peak_memory(a.plan)},
                     {"read_bandwidth", last.read_bandwidth},
                     {"matrix_peak", last.matrix_peak},
                     {"results", results}};
  if (last.disk_rate > 0) out["disk_rate"] = last.disk_rate;
  std::printf("%s\n", json_text(out).c_str());
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Run& run) {
  auto a = std::make_shared<BenchArguments>();
  CLI::App* command =
      app.add_subcommand("bench", "Measure prefill and decoding beside the machine's own limits");
  const auto sizes = [&](const char* name, std::vector<int64_t>& values, const char* what) {
    command->add_option(name, values, what)->delimiter(',')->capture_default_str();
  };
  add_model_arguments(*command, *a);
  command->get_option("model")->required(false);
  command->remove_option(command->get_option("--threads"));
  command
      ->add_option("--threads", a->threads,
                   "Threads; several numbers are measured one after another (default: the physical cores)")
      ->delimiter(',');
  sizes("--prefill", a->plan.prefill, "Prompt lengths; 0: none");
  sizes("--prefill-batch", a->plan.prefill_batches, "Prompts that are computed together");
  sizes("--batch", a->plan.batches, "Sequences that decode together; 0: none");
  sizes("--depth", a->plan.depths, "Positions each sequence already has");
  command->add_option("--steps", a->plan.steps, "Decoding steps of a run")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--pairs", a->plan.pairs, "Runs, each beside a measurement of the limits")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option(
      "--bandwidth-memory", a->bandwidth_memory,
      "memory that is read to measure the bandwidth (default: 2G, or an eighth of what is free)");
  command->add_flag("--kernels", a->kernels,
                    "Measure operations instead of a model, and compare them with the reference");
  command->add_option("--seconds", a->seconds, "For each large product of --kernels")
      ->check(CLI::Range(0.01, 60.0))
      ->capture_default_str();
  command->add_flag("--mtp", a->mtp_gain,
                    "Measure instead what the MTP module's drafts bring to a chat model");
  command->add_flag("--json", a->json, "Print one JSON object");
  command->footer(
      "Examples:\n"
      "  $ fathom bench DeepSeek-V3 --prefill 512,4096 --batch 1,16 --depth 1024 --threads 8,16\n"
      "  $ fathom bench models/v3 --mtp --pairs 5\n"
      "  $ fathom bench --kernels --isa avx512");
  command->callback([a, &run] { run = [a] { return bench(*a); }; });
}

}  // namespace fathom::apps
