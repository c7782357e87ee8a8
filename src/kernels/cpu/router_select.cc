#include "kernels/cpu/router_select.h"

#include <algorithm>
#include <cmath>

namespace fathom::kernels::cpu {
namespace {

// Marks what is out of the race; a NaN is never larger than the best so far.
constexpr float kOut = -INFINITY;

int64_t first_largest(const float* v, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i) best = v[i] > v[best] ? i : best;
  return best;
}

void keep_best_groups(const Router& op, float* choice, float* group) {
  const int64_t size = op.logits.cols / op.groups;
  for (int64_t g = 0; g < op.groups; ++g) {
    float first = kOut, second = kOut;
    for (const float* c = choice + g * size; c < choice + (g + 1) * size; ++c) {
      second = std::max(second, std::min(first, *c));
      first = std::max(first, *c);
    }
    group[g] = first + (size > 1 ? second : 0.0f);
  }
  // Dropping the worst (of equals the last) leaves the best, the lower index first.
  for (int64_t dropped = op.groups_kept; dropped < op.groups; ++dropped) {
    int64_t worst = -1;
    for (int64_t g = 0; g < op.groups; ++g)
      if (group[g] < INFINITY && (worst < 0 || group[g] <= group[worst])) worst = g;
    if (worst < 0) return;
    std::fill(choice + worst * size, choice + (worst + 1) * size, kOut);
    group[worst] = INFINITY;
  }
}

}  // namespace

void select_experts(const Router& op, int64_t r, const float* score, float* choice, float* group) {
  if (op.groups_kept < op.groups) keep_best_groups(op, choice, group);
  int32_t* index = op.index.row(r);
  float* weight = op.weight.row(r);
  float sum = 0;
  for (int64_t k = 0; k < op.index.cols; ++k) {
    const int64_t e = first_largest(choice, op.logits.cols);
    index[k] = static_cast<int32_t>(e);
    weight[k] = score[e];
    choice[e] = kOut;
    sum += score[e];
  }
  for (int64_t k = 0; k < op.index.cols; ++k)
    weight[k] = (op.normalize ? weight[k] / (sum + 1e-20f) : weight[k]) * op.scaling;
}

}  // namespace fathom::kernels::cpu
