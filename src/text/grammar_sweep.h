// Splits overlapping ranges into disjoint ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace fathom::text {

struct RangeTo {
  uint32_t lo, hi, to;
};

// Gives sink(lo, hi, targets) for the ascending disjoint pieces of `ranges`, `targets` being all `to` whose
// range covers the piece, ascending, without repeats. Returns the work done, for a budget.
template <class Sink>
int64_t sweep(std::vector<RangeTo>& ranges, Sink&& sink) {
  std::vector<uint32_t> cuts;
  for (const RangeTo& range : ranges) {
    cuts.push_back(range.lo);
    cuts.push_back(range.hi + 1);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::sort(ranges.begin(), ranges.end(), [](const RangeTo& a, const RangeTo& b) { return a.lo < b.lo; });
  std::vector<RangeTo> active;
  std::vector<uint32_t> targets;
  int64_t work = static_cast<int64_t>(ranges.size());
  size_t next = 0;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    std::erase_if(active, [&](const RangeTo& range) { return range.hi < cuts[i]; });
    while (next < ranges.size() && ranges[next].lo <= cuts[i]) active.push_back(ranges[next++]);
    work += 1 + static_cast<int64_t>(active.size());
    if (active.empty()) continue;
    targets.clear();
    for (const RangeTo& range : active) targets.push_back(range.to);
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    sink(cuts[i], cuts[i + 1] - 1, targets);
  }
  return work;
}

// For hash tables of sets.
struct SetHash {
  size_t operator()(const std::vector<uint32_t>& set) const {
    uint64_t hash = 0xcbf29ce484222325;
    for (const uint32_t v : set) hash = (hash ^ v) * 0x100000001b3 + (hash >> 29);
    return static_cast<size_t>(hash);
  }
};

}  // namespace fathom::text
