// Distances between what a model computed and what a reference recorded.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/runner.h"
#include "model/config.h"

namespace fathom::eval {

struct Difference {
  double max_abs = 0;            // NaN counts as infinite
  double mean_abs_over_std = 0;  // mean |difference| over the reference's standard deviation
  double largest = 0;            // largest |value| of the reference
};
// REQUIRES: same size.
Difference difference(std::span<const float> ours, std::span<const float> reference);

// Kullback-Leibler divergence of our softmax from the reference's, one value a row of `vocab` logits.
std::vector<double> divergences(std::span<const float> ours, std::span<const float> reference, int64_t vocab);

// Share of rows with the same first logit, over rows where `counted` holds and the reference's first and second logit
// are more than `margin` apart; nullopt when there is none.
std::optional<double> top1_agreement(std::span<const float> ours, std::span<const float> reference, int64_t vocab,
                                     const std::vector<bool>& counted, double margin);

// For each position: whether the experts equal the reference's as a set. With `tie` above 0, positions whose difference
// is explained by two scores (or two group scores) closer than it count as equal.
std::vector<bool> same_experts(const Routing& ours, std::span<const int32_t> reference, const model::Config& config,
                               std::span<const float> bias, double tie);

// Largest difference of the weights, matched by expert, over positions where the sets are equal.
double weight_difference(const Routing& ours, std::span<const int32_t> index, std::span<const float> weight,
                         int64_t per_token);

}  // namespace fathom::eval
