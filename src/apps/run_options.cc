#include "apps/run_options.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "tensor/isa.h"

namespace fathom::apps {
namespace {

constexpr int kMostThreads = 1024;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int affinity_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return std::max(1,
                  static_cast<int>(std::thread::hardware_concurrency()));  // more CPUs than cpu_set_t holds
}

// The tightest quota from `group` up to the root of the hierarchy mounted at `mount`. A process inside a
// container sees its own group as the root, so a path that does not exist is cut until it does.
template <class Read>
int tightest_quota(const std::string& mount, std::string group, Read read) {
  int tightest = 0;
  while (true) {
    const int cpus = read(mount + group);
    if (cpus > 0) tightest = tightest == 0 ? cpus : std::min(tightest, cpus);
    if (group.empty() || group == "/") return tightest;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

int cgroup_cpus() {
  std::ifstream file("/proc/self/cgroup");
  int tightest = 0;
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    int cpus = 0;
    if (controllers == ",,") {
      cpus = tightest_quota("/sys/fs/cgroup", group,
                            [](const std::string& d) { return cpus_of_quota(first_line(d + "/cpu.max")); });
    } else if (controllers.find(",cpu,") != std::string::npos) {
      cpus = tightest_quota("/sys/fs/cgroup/cpu", group, [](const std::string& d) {
        return cpus_of_quota(first_line(d + "/cpu.cfs_quota_us") + " " +
                             first_line(d + "/cpu.cfs_period_us"));
      });
    }
    if (cpus > 0) tightest = tightest == 0 ? cpus : std::min(tightest, cpus);
  }
  return tightest;
}

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

int cpus_of_quota(const std::string& cpu_max) {
  std::istringstream in(cpu_max);
  double quota = 0, period = 0;
  if (!(in >> quota >> period) || !(quota > 0) || !(period > 0)) return 0;
  return static_cast<int>(std::clamp(std::ceil(quota / period), 1.0, 1.0 * kMostThreads));
}

CpuShare cpu_share() {
  const int affinity = affinity_cpus(), quota = cgroup_cpus();
  if (quota > 0 && quota < affinity) return {quota, "the control group's quota"};
  return {std::clamp(affinity, 1, kMostThreads), "the CPUs this process may run on"};
}

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("--backend", options.backend, "who computes: cpu, or ref (slow, the specification)")
      ->capture_default_str();
  command.add_option("--isa", options.isa, "instruction set: avx2, avx512 or amx (default: the best here)");
  command.add_option("--mode", options.mode, "fast (BF16 activations and cache) or faithful (FP32)")
      ->capture_default_str();
  command.add_option("--threads", options.threads, "threads (default: the CPUs this process may use)");
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
  const CpuShare share = options.threads > 0 ? CpuShare{options.threads, "--threads"} : cpu_share();
  runtime.threads_reason =
      std::to_string(share.cpus) + (share.cpus == 1 ? " thread (" : " threads (") + share.reason + ")";
  runtime.pool = std::make_unique<ThreadPool>(share.cpus);
  runtime.context.pool = runtime.pool.get();
  return runtime;
}

model::Options model_options(const RunOptions& options, const model::Config& config) {
  return {.act_quant = options.act_quant, .act_format = config.scale_format};
}

}  // namespace fathom::apps
