#include "base/machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "tests/support/temporary_directory.h"

namespace fathom {
namespace {

// A machine written down as /sys and /proc would describe it.
class RecordedMachine {
 public:
  const std::string& root() const { return directory_.path(); }
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path at = root() + path;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << text << "\n";
  }
  // `threads` hyperthreads a core; ids as Linux numbers them: all first hyperthreads, then all second ones.
  void cpus(int nodes, int cores_per_node, int threads) {
    const int cores = nodes * cores_per_node;
    write("/sys/devices/system/cpu/online", "0-" + std::to_string(cores * threads - 1));
    for (int n = 0; n < nodes; ++n) {
      std::string list;
      for (int t = 0; t < threads; ++t)
        list += (t > 0 ? "," : "") + std::to_string(t * cores + n * cores_per_node) + "-" + std::to_string(t * cores + (n + 1) * cores_per_node - 1);
      write("/sys/devices/system/node/node" + std::to_string(n) + "/cpulist", list);
    }
    for (int id = 0; id < cores * threads; ++id) {
      const std::string at = "/sys/devices/system/cpu/cpu" + std::to_string(id) + "/topology/";
      write(at + "core_id", std::to_string(id % cores % cores_per_node));
      write(at + "physical_package_id", std::to_string(id % cores / cores_per_node));
    }
  }

 private:
  test::TemporaryDirectory directory_;
};

std::vector<int> all(int count) {
  std::vector<int> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(Machine, CpuLists) {
  EXPECT_EQ(parse_cpu_list("0-2,8"), (std::vector<int>{0, 1, 2, 8}));
  EXPECT_TRUE(parse_cpu_list("3-1").empty());
  EXPECT_TRUE(parse_cpu_list("x").empty());
  EXPECT_TRUE(parse_cpu_list("0-99999999").empty());
}

TEST(Machine, DesktopWithHyperthreadsUsesItsCores) {
  RecordedMachine m;
  m.cpus(1, 8, 2);
  const Placement p = place_threads(read_cpus(m.root()), all(16), std::nullopt, 0);
  EXPECT_EQ(p.threads, 8);
  EXPECT_TRUE(p.cpus.empty());
  EXPECT_EQ(p.nodes, std::vector<int>{0});
  EXPECT_NE(p.reason.find("physical cores"), std::string::npos);
}

TEST(Machine, TwoSocketsArePinnedEvenly) {
  RecordedMachine m;
  m.cpus(2, 48, 2);
  const auto cpus = read_cpus(m.root());
  const Placement p = place_threads(cpus, all(192), std::nullopt, 0);
  EXPECT_EQ(p.threads, 96);
  EXPECT_EQ(p.nodes, (std::vector<int>{0, 1}));
  EXPECT_EQ(std::set<int>(p.cpus.begin(), p.cpus.end()).size(), 96u);
  const Placement few = place_threads(cpus, all(192), std::nullopt, 4);
  EXPECT_EQ(few.cpus, (std::vector<int>{0, 48, 1, 49}));
}

TEST(Machine, MemoryFollowsTheNodesOfTheAllowedCpus) {
  RecordedMachine m;
  m.cpus(4, 2, 2);
  // A container that got nodes 1 and 3.
  const Placement p = place_threads(read_cpus(m.root()), {2, 3, 6, 7, 10, 11, 14, 15}, std::nullopt, 0);
  EXPECT_EQ(p.threads, 4);
  EXPECT_EQ(p.nodes, (std::vector<int>{1, 3}));
  EXPECT_EQ(p.cpus, (std::vector<int>{2, 6, 3, 7}));
  EXPECT_NE(p.reason.find("pinned over 2 NUMA nodes"), std::string::npos);
  // A quota below the number of cores still uses both nodes' memory.
  const Placement few = place_threads(read_cpus(m.root()), {2, 3, 6, 7, 10, 11, 14, 15}, 1.5, 0);
  EXPECT_EQ(few.cpus, (std::vector<int>{2, 6}));
  EXPECT_NE(few.reason.find("quota"), std::string::npos);
}

TEST(Machine, AffinityToOneNodeAndOneHyperthread) {
  RecordedMachine m;
  m.cpus(2, 4, 2);
  const auto cpus = read_cpus(m.root());
  EXPECT_EQ(place_threads(cpus, {4, 5, 12, 13}, std::nullopt, 0).threads, 2);
  EXPECT_EQ(place_threads(cpus, {4, 5, 12, 13}, std::nullopt, 0).nodes, std::vector<int>{1});
  EXPECT_EQ(place_threads(cpus, {9}, std::nullopt, 0).threads, 1);
  EXPECT_EQ(place_threads({}, {0, 1}, std::nullopt, 0).threads, 2);
}

TEST(Machine, QuotasOfBothGenerationsTheTightestWins) {
  RecordedMachine v2;
  v2.write("/proc/self/cgroup", "0::/slice/pod");
  v2.write("/sys/fs/cgroup/slice/cpu.max", "250000 100000");
  v2.write("/sys/fs/cgroup/slice/pod/cpu.max", "max 100000");
  v2.write("/sys/fs/cgroup/slice/pod/memory.max", "max");
  v2.write("/sys/fs/cgroup/slice/memory.max", "8589934592");
  EXPECT_EQ(cgroup_cpu_quota(v2.root()), 2.5);
  EXPECT_EQ(cgroup_memory_limit(v2.root()), 8589934592u);

  RecordedMachine v1;
  v1.write("/proc/self/cgroup", "3:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc");
  v1.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000");
  v1.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  v1.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(cgroup_cpu_quota(v1.root()), 4.0);
  EXPECT_EQ(cgroup_memory_limit(v1.root()), std::nullopt);

  const auto cpus = [] {
    RecordedMachine m;
    m.cpus(1, 16, 1);
    return read_cpus(m.root());
  }();
  EXPECT_EQ(place_threads(cpus, all(16), 2.5, 0).threads, 3);
  EXPECT_EQ(place_threads(cpus, all(16), 0.3, 0).threads, 1);
  EXPECT_EQ(place_threads(cpus, all(16), 2.5, 7).threads, 7);
}

TEST(Machine, AvailableMemoryIsTheSmallerOfMachineAndGroup) {
  RecordedMachine m;
  m.write("/proc/meminfo", "MemTotal: 100 kB\nMemAvailable:   4194304 kB");
  EXPECT_EQ(available_memory(m.root()), 4194304ull * 1024);
  m.write("/proc/self/cgroup", "0::/");
  m.write("/sys/fs/cgroup/memory.max", "1073741824");
  EXPECT_EQ(available_memory(m.root()), 1073741824u);
  // What others of the group hold is not there to be filled; their files can be dropped.
  m.write("/sys/fs/cgroup/memory.stat", "file 500000000\nanon 73741824");
  EXPECT_EQ(available_memory(m.root()), 1000000000u);

  RecordedMachine v1;
  v1.write("/proc/meminfo", "MemAvailable:   4194304 kB");
  v1.write("/proc/self/cgroup", "4:memory:/docker");
  v1.write("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "2000000000");
  v1.write("/sys/fs/cgroup/memory/docker/memory.stat", "cache 7\nrss 5\ntotal_rss 500000000");
  EXPECT_EQ(available_memory(v1.root()), 1500000000u);
}

TEST(Machine, ThisOneHasAPlacement) {
  EXPECT_GE(place_threads(0).threads, 1);
  EXPECT_GT(available_memory(), 0u);
}

}  // namespace
}  // namespace fathom
