#include "eval/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace fathom::eval {

Difference difference(std::span<const float> ours, std::span<const float> reference) {
  Difference d;
  double sum = 0, squares = 0, absolute = 0;
  const double n = static_cast<double>(reference.size());
  for (size_t i = 0; i < reference.size(); ++i) {
    double gap = std::fabs(static_cast<double>(ours[i]) - reference[i]);
    if (std::isnan(gap)) gap = std::numeric_limits<double>::infinity();
    d.max_abs = std::max(d.max_abs, gap);
    d.largest = std::max(d.largest, std::fabs(static_cast<double>(reference[i])));
    absolute += gap;
    sum += reference[i];
    squares += static_cast<double>(reference[i]) * reference[i];
  }
  const double variance = std::max(squares / n - sum / n * (sum / n), 1e-300);
  d.mean_abs_over_std = absolute / n / std::sqrt(variance);
  return d;
}

namespace {

// log of the sum of exponentials, and the largest value.
struct Normalizer {
  double largest, log_sum;
};

Normalizer normalizer(const float* logits, int64_t vocab) {
  const double largest = *std::max_element(logits, logits + vocab);
  double sum = 0;
  for (int64_t v = 0; v < vocab; ++v) sum += std::exp(logits[v] - largest);
  return {largest, std::log(sum)};
}

double divergence(const float* ours, const float* reference, int64_t vocab) {
  const Normalizer p = normalizer(reference, vocab), q = normalizer(ours, vocab);
  double sum = 0;
  for (int64_t v = 0; v < vocab; ++v) {
    const double log_p = reference[v] - p.largest - p.log_sum, log_q = ours[v] - q.largest - q.log_sum;
    sum += std::exp(log_p) * (log_p - log_q);
  }
  return std::isnan(sum) ? std::numeric_limits<double>::infinity() : std::max(sum, 0.0);
}

}  // namespace

std::vector<double> divergences(std::span<const float> ours, std::span<const float> reference, int64_t vocab) {
  std::vector<double> out;
  for (size_t at = 0; at < reference.size(); at += static_cast<size_t>(vocab))
    out.push_back(divergence(&ours[at], &reference[at], vocab));
  return out;
}

std::optional<double> top1_agreement(std::span<const float> ours, std::span<const float> reference, int64_t vocab,
                                     const std::vector<bool>& counted, double margin) {
  int64_t rows = 0, equal = 0;
  for (size_t r = 0; r < counted.size(); ++r) {
    const float* ref = &reference[r * static_cast<size_t>(vocab)];
    const float* own = &ours[r * static_cast<size_t>(vocab)];
    const auto first = std::max_element(ref, ref + vocab) - ref;
    float second = -std::numeric_limits<float>::infinity();
    for (int64_t v = 0; v < vocab; ++v)
      if (v != first) second = std::max(second, ref[v]);
    if (!counted[r] || !(ref[first] - second > margin)) continue;
    ++rows;
    equal += std::max_element(own, own + vocab) - own == first ? 1 : 0;
  }
  if (rows == 0) return std::nullopt;
  return static_cast<double>(equal) / static_cast<double>(rows);
}

namespace {

// Whether swapping `ours` for `theirs` is a matter of scores closer than `tie`.
bool explained_by_tie(const float* logits, const std::set<int32_t>& ours, const std::set<int32_t>& theirs,
                      const model::Config& c, std::span<const float> bias, double tie) {
  const auto choice = [&](int64_t e) { return 1.0 / (1.0 + std::exp(-static_cast<double>(logits[e]))) + bias[static_cast<size_t>(e)]; };
  std::vector<double> lost, gained;
  for (int32_t e : theirs)
    if (!ours.contains(e)) lost.push_back(choice(e));
  for (int32_t e : ours)
    if (!theirs.contains(e)) gained.push_back(choice(e));
  std::sort(lost.begin(), lost.end());
  std::sort(gained.begin(), gained.end());
  bool close = lost.size() == gained.size();
  for (size_t i = 0; close && i < lost.size(); ++i) close = std::fabs(lost[i] - gained[i]) < tie;
  if (close) return true;

  const int64_t per_group = c.n_routed_experts / c.n_group;
  std::vector<double> groups;
  for (int64_t g = 0; g < c.n_group; ++g) {
    std::vector<double> members;
    for (int64_t e = 0; e < per_group; ++e) members.push_back(choice(g * per_group + e));
    std::partial_sort(members.begin(), members.begin() + std::min<int64_t>(2, per_group), members.end(), std::greater<>());
    groups.push_back(members[0] + (per_group > 1 ? members[1] : 0.0));
  }
  std::sort(groups.begin(), groups.end(), std::greater<>());
  const size_t kept = static_cast<size_t>(c.topk_group);
  return kept < groups.size() && groups[kept - 1] - groups[kept] < tie;
}

}  // namespace

std::vector<bool> same_experts(const Routing& ours, std::span<const int32_t> reference, const model::Config& c,
                               std::span<const float> bias, double tie) {
  const size_t k = static_cast<size_t>(c.num_experts_per_tok), experts = static_cast<size_t>(c.n_routed_experts);
  std::vector<bool> same;
  for (size_t at = 0, row = 0; at < reference.size(); at += k, ++row) {
    const std::set<int32_t> own(ours.index.begin() + static_cast<std::ptrdiff_t>(at),
                                ours.index.begin() + static_cast<std::ptrdiff_t>(at + k));
    const std::set<int32_t> ref(reference.begin() + static_cast<std::ptrdiff_t>(at),
                                reference.begin() + static_cast<std::ptrdiff_t>(at + k));
    bool equal = own == ref;
    const bool valid = ref.size() == k && *ref.begin() >= 0 && *ref.rbegin() < c.n_routed_experts;
    if (!equal && tie > 0 && valid) equal = explained_by_tie(&ours.logits[row * experts], own, ref, c, bias, tie);
    same.push_back(equal);
  }
  return same;
}

double weight_difference(const Routing& ours, std::span<const int32_t> index, std::span<const float> weight,
                         int64_t per_token) {
  const size_t k = static_cast<size_t>(per_token);
  double largest = 0;
  for (size_t at = 0; at < index.size(); at += k) {
    double row = 0;
    bool same_set = true;
    for (size_t i = at; i < at + k; ++i) {
      const auto begin = ours.index.begin() + static_cast<std::ptrdiff_t>(at);
      const auto found = std::find(begin, begin + per_token, index[i]);
      if (found == begin + per_token) {
        same_set = false;
        break;
      }
      const double own = ours.weight[static_cast<size_t>(found - ours.index.begin())];
      const double gap = std::fabs(own - weight[i]);
      row = std::max(row, std::isnan(gap) ? std::numeric_limits<double>::infinity() : gap);
    }
    if (same_set) largest = std::max(largest, row);
  }
  return largest;
}

}  // namespace fathom::eval
