#include "apps/run_options.h"

#include "base/error.h"
#include "base/machine.h"
#include "tensor/isa.h"

namespace fathom::apps {
namespace {

constexpr int kMostThreads = 1024;

Isa chosen_isa(const std::string& name) {
  if (name.empty()) return best_isa();
  const auto isa = isa_named(name);
  if (isa && available(*isa)) return *isa;
  std::string names;
  for (Isa each : available_isas()) names += (names.empty() ? "" : ", ") + std::string(name_of(each));
  throw Exception({"--isa",
                   {},
                   quotable(name) + (isa ? " is not on this machine" : " is no instruction set"),
                   "this machine has " + names});
}

Backend chosen_backend(const std::string& name) {
  if (name == "ref") return Backend::ref;
  if (name == "cpu") return Backend::cpu;
  if (name == "cuda") throw Exception({"--backend", {}, "cuda is not in this build", "use --backend cpu"});
  throw Exception({"--backend", {}, quotable(name) + " is no backend", "use cpu or ref"});
}

Mode chosen_mode(const std::string& name) {
  if (name == "fast") return Mode::fast;
  if (name == "faithful") return Mode::faithful;
  throw Exception({"--mode", {}, quotable(name) + " is no mode", "use fast or faithful"});
}

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("--backend", options.backend, "who computes: cpu, or ref (slow, the specification)")
      ->capture_default_str();
  command.add_option("--isa", options.isa, "instruction set: avx2, avx512 or amx (default: the best here)");
  command.add_option("--mode", options.mode, "fast (BF16 activations and cache) or faithful (FP32)")
      ->capture_default_str();
  command.add_option("--threads", options.threads, "threads (default: the physical cores this process may use)");
  command.add_flag("--act-quant", options.act_quant,
                   "round activations to FP8 in tiles of 1x128, as the GPUs did");
}

Runtime make_runtime(const RunOptions& options) {
  Runtime runtime;
  runtime.context.backend = chosen_backend(options.backend);
  runtime.context.mode = chosen_mode(options.mode);
  runtime.context.isa = chosen_isa(options.isa);
  if (options.threads < 0 || options.threads > kMostThreads)
    throw Exception({"--threads",
                     {},
                     std::to_string(options.threads) + " threads are not possible",
                     "use 1 to " + std::to_string(kMostThreads)});
  const Placement placement = place_threads(options.threads);
  runtime.threads_reason = placement.reason;
  if (placement.cpus.size() > 1 && !interleave_memory(placement.nodes)) runtime.threads_reason += ", memory not interleaved";
  runtime.pool = std::make_unique<ThreadPool>(placement.threads, placement.cpus);
  runtime.context.pool = runtime.pool.get();
  return runtime;
}

}  // namespace fathom::apps
