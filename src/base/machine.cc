#include "base/machine.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <thread>

namespace fathom {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<uint64_t> number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

int integer_or(const std::string& text, int absent) {
  const auto value = number(text);
  return value && *value < (1u << 20) ? static_cast<int>(*value) : absent;
}

// The smallest of what `read` finds in the group directories of a controller, from the process's own up to
// the root of its mount. Inside a container the path may not exist there; it is cut until it does.
template <class T, class Read>
std::optional<T> tightest(const std::string& root, const std::string& controller, Read read) {
  std::optional<T> found;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool unified = names == ",,";
    if (!unified && names.find("," + controller + ",") == std::string::npos) continue;
    const std::string mount = root + "/sys/fs/cgroup" + (unified ? "" : "/" + controller);
    for (std::string group = line.substr(second + 1);; group.resize(group.rfind('/'))) {
      const std::optional<T> here = read(mount + group, unified);
      if (here) found = found ? std::min(*found, *here) : *here;
      if (group.rfind('/') == std::string::npos || group.empty()) break;
    }
  }
  return found;
}

std::optional<uint64_t> memory_limit_of(const std::string& group, bool unified) {
  const auto limit = number(first_line(group + (unified ? "/memory.max" : "/memory.limit_in_bytes")));
  // v1 writes "no limit" as a number near 2^63.
  return limit && *limit < (uint64_t{1} << 60) ? limit : std::nullopt;
}

}  // namespace

std::vector<int> parse_cpu_list(const std::string& text) {
  std::vector<int> ids;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    const size_t dash = part.find('-');
    const auto low = number(part.substr(0, dash));
    const auto high = dash == std::string::npos ? low : number(part.substr(dash + 1));
    if (!low || !high || *high < *low || *high > 65535) return {};
    for (uint64_t id = *low; id <= *high; ++id) ids.push_back(static_cast<int>(id));
  }
  return ids;
}

std::vector<Cpu> read_cpus(const std::string& root) {
  std::map<int, int> node_of;
  const fs::path nodes = root + "/sys/devices/system/node";
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(nodes, none)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("node")) continue;
    const int node = integer_or(name.substr(4), -1);
    if (node < 0) continue;
    for (int id : parse_cpu_list(first_line(entry.path() / "cpulist"))) node_of[id] = node;
  }
  std::vector<Cpu> cpus;
  for (int id : parse_cpu_list(first_line(root + "/sys/devices/system/cpu/online"))) {
    const std::string topology = root + "/sys/devices/system/cpu/cpu" + std::to_string(id) + "/topology/";
    cpus.push_back({.id = id,
                    .core = integer_or(first_line(topology + "core_id"), id),
                    .package = integer_or(first_line(topology + "physical_package_id"), 0),
                    .node = node_of.contains(id) ? node_of[id] : 0});
  }
  return cpus;
}

std::optional<double> cgroup_cpu_quota(const std::string& root) {
  return tightest<double>(root, "cpu", [](const std::string& group, bool unified) -> std::optional<double> {
    std::istringstream in(unified ? first_line(group + "/cpu.max")
                                  : first_line(group + "/cpu.cfs_quota_us") + " " +
                                        first_line(group + "/cpu.cfs_period_us"));
    double quota = 0, period = 0;
    if (!(in >> quota >> period) || !(quota > 0) || !(period > 0)) return std::nullopt;
    return quota / period;
  });
}

std::optional<uint64_t> cgroup_memory_limit(const std::string& root) {
  return tightest<uint64_t>(root, "memory", memory_limit_of);
}

namespace {

// What the groups of this process leave: the limit less what cannot be dropped, the anonymous memory of all
// in the group.
std::optional<uint64_t> cgroup_memory_left(const std::string& root) {
  return tightest<uint64_t>(root, "memory",
                            [](const std::string& group, bool unified) -> std::optional<uint64_t> {
                              const auto limit = memory_limit_of(group, unified);
                              if (!limit) return std::nullopt;
                              std::ifstream stat(group + "/memory.stat");
                              uint64_t value = 0, used = 0;
                              for (std::string name; stat >> name >> value;)
                                if (name == (unified ? "anon" : "total_rss")) used = value;
                              return *limit - std::min(*limit, used);
                            });
}

}  // namespace

uint64_t available_memory(const std::string& root) {
  uint64_t available = 0;
  std::ifstream info(root + "/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    const size_t digit = line.find_first_of("0123456789");
    if (digit != std::string::npos) available = number(line.substr(digit)).value_or(0) * 1024;
  }
  const auto left = cgroup_memory_left(root);
  return left && (available == 0 || *left < available) ? *left : available;
}

Placement place_threads(const std::vector<Cpu>& cpus, const std::vector<int>& allowed,
                        std::optional<double> quota, int wanted) {
  const std::set<int> may(allowed.begin(), allowed.end());
  // The first hyperthread of every core, by node.
  std::map<int, std::vector<int>> by_node;
  std::set<std::pair<int, int>> cores;
  for (const Cpu& cpu : cpus)
    if (may.contains(cpu.id) && cores.insert({cpu.package, cpu.core}).second)
      by_node[cpu.node].push_back(cpu.id);

  Placement p;
  const int usable =
      cores.empty() ? std::max<int>(1, static_cast<int>(allowed.size())) : static_cast<int>(cores.size());
  p.threads = usable;
  std::string why = cores.size() < may.size() && !cores.empty() ? "the physical cores this process may run on"
                                                                : "the CPUs this process may run on";
  if (quota && std::ceil(*quota) < usable) {
    p.threads = std::max(1, static_cast<int>(std::ceil(*quota)));
    why = "the control group's CPU quota";
  }
  if (wanted > 0) {
    p.threads = wanted;
    why = "--threads";
  }
  for (const auto& [node, ids] : by_node) p.nodes.push_back(node);
  if (by_node.size() > 1 && p.threads > 1 && p.threads <= usable) {
    // Round robin over the nodes, so that any number of threads uses all memory controllers alike.
    for (size_t turn = 0; static_cast<int>(p.cpus.size()) < p.threads; ++turn)
      for (const auto& [node, ids] : by_node)
        if (turn < ids.size() && static_cast<int>(p.cpus.size()) < p.threads) p.cpus.push_back(ids[turn]);
    why += ", pinned over " + std::to_string(p.nodes.size()) + " NUMA nodes";
  }
  p.reason = std::to_string(p.threads) + (p.threads == 1 ? " thread (" : " threads (") + why + ")";
  return p;
}

Placement place_threads(int wanted) {
  std::vector<int> allowed;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int id = 0; id < CPU_SETSIZE; ++id)
      if (CPU_ISSET(id, &set)) allowed.push_back(id);
  } else {  // more CPUs than the set holds
    for (unsigned id = 0; id < std::max(1u, std::thread::hardware_concurrency()); ++id)
      allowed.push_back(static_cast<int>(id));
  }
  return place_threads(read_cpus(), allowed, cgroup_cpu_quota(), wanted);
}

bool interleave_memory(const std::vector<int>& nodes) {
  constexpr int kInterleave = 3;  // MPOL_INTERLEAVE
  constexpr size_t kMost = 1024, kBits = 8 * sizeof(unsigned long);
  std::array<unsigned long, kMost / kBits> mask{};
  for (int node : nodes)
    if (static_cast<size_t>(node) < kMost)
      mask[static_cast<size_t>(node) / kBits] |= 1ul << (static_cast<size_t>(node) % kBits);
  return ::syscall(SYS_set_mempolicy, kInterleave, mask.data(), kMost) == 0;
}

}  // namespace fathom
