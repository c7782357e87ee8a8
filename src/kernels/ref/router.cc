#include "kernels/router.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace fathom::kernels::ref {
namespace {

// Indices of the `k` largest of `values` among `candidates`, in falling order; equal values by index.
std::vector<int64_t> largest(const std::vector<float>& values, std::vector<int64_t> candidates, int64_t k) {
  std::stable_sort(candidates.begin(), candidates.end(), [&](int64_t a, int64_t b) {
    return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)];
  });
  candidates.resize(static_cast<size_t>(k));
  return candidates;
}

void route(const Router& op, int64_t r) {
  const int64_t experts = op.logits.cols, per_group = experts / op.groups;
  std::vector<float> score(static_cast<size_t>(experts)), choice(score), group(static_cast<size_t>(op.groups));
  for (size_t e = 0; e < score.size(); ++e) {
    score[e] = 1.0f / (1.0f + std::exp(-op.logits.row(r)[e]));
    choice[e] = score[e] + op.bias[e];
  }
  for (int64_t g = 0; g < op.groups; ++g) {
    float first = -INFINITY, second = -INFINITY;
    for (int64_t e = g * per_group; e < (g + 1) * per_group; ++e) {
      const float v = choice[static_cast<size_t>(e)];
      if (v > first) second = std::exchange(first, v);
      else if (v > second) second = v;
    }
    group[static_cast<size_t>(g)] = first + (per_group > 1 ? second : 0.0f);
  }
  std::vector<int64_t> all_groups(static_cast<size_t>(op.groups));
  std::iota(all_groups.begin(), all_groups.end(), 0);
  std::vector<int64_t> kept = largest(group, all_groups, op.groups_kept);
  std::sort(kept.begin(), kept.end());
  std::vector<int64_t> candidates;
  for (int64_t g : kept)
    for (int64_t e = 0; e < per_group; ++e) candidates.push_back(g * per_group + e);

  const std::vector<int64_t> chosen = largest(choice, candidates, op.index.cols);
  float sum = 0;
  for (int64_t e : chosen) sum += score[static_cast<size_t>(e)];
  for (int64_t k = 0; k < op.index.cols; ++k) {
    const int64_t e = chosen[static_cast<size_t>(k)];
    const float weight = score[static_cast<size_t>(e)];
    op.index.row(r)[k] = static_cast<int32_t>(e);
    op.weight.row(r)[k] = (op.normalize ? weight / (sum + 1e-20f) : weight) * op.scaling;
  }
}

}  // namespace

void router(const Context&, const Router& op) {
  for (int64_t r = 0; r < op.logits.rows; ++r) route(op, r);
}

}  // namespace fathom::kernels::ref
