// What this process may use of the machine: CPUs, memory, and how the CPUs are arranged.
//
// Everything is read below a root directory, so that tests can run on recorded machines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fathom {

// One logical CPU as /sys describes it.
struct Cpu {
  int id = 0;
  int core = 0;  // the same for hyperthreads of one core, together with package
  int package = 0;
  int node = 0;  // NUMA
};

// Logical CPUs that are online, in order of their ids. Empty when `root` describes none.
std::vector<Cpu> read_cpus(const std::string& root = "");

// "0-3,8" as ids; empty when it is not such a list.
std::vector<int> parse_cpu_list(const std::string& text);

// The tightest limits of the control groups of this process (v1 or v2), from its own up to the root it can
// see.
std::optional<double> cgroup_cpu_quota(const std::string& root = "");
std::optional<uint64_t> cgroup_memory_limit(const std::string& root = "");

// Memory that this process could still fill, page cache that can be dropped included.
uint64_t available_memory(const std::string& root = "");

// Which CPUs the threads of a pool run on.
struct Placement {
  int threads = 1;
  std::vector<int> cpus;  // one a thread; empty: the kernel decides
  std::vector<int>
      nodes;           // NUMA nodes that these CPUs span: memory is interleaved over them when more than one
  std::string reason;  // "2 threads (the CPUs this process may run on)"
};

// One thread for each physical core among `allowed` (hyperthreads share the load ports that our kernels
// saturate), no more than the quota. On several NUMA nodes threads are pinned and spread evenly; on one node
// the kernel places them, since a pinned thread cannot move away from another process. `wanted` > 0 overrides
// the number.
Placement place_threads(const std::vector<Cpu>& cpus, const std::vector<int>& allowed,
                        std::optional<double> quota, int wanted);

// place_threads for this process.
Placement place_threads(int wanted);

// Asks the kernel to spread the memory that this process touches from now on over these NUMA nodes, page
// cache included. Returns whether it agreed.
bool interleave_memory(const std::vector<int>& nodes);

}  // namespace fathom
