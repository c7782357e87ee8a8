// Sorting rows by expert before the grouped products, and summing the experts' outputs after them.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/context.h"
#include "tensor/mat.h"

namespace fathom::kernels {

// Pairs (row, k) sorted by expert, rows in order within an expert: slot s holds token row `row[s]`; pair (t, k) went to
// slot `slot[t, k]`; expert e owns slots [offset[e], offset[e + 1]).
struct MoeGroup {
  Mat<const int32_t> index;     // [T, K], each in [0, E)
  std::span<int32_t> offset;    // [E + 1]
  std::span<int32_t> row;       // [T * K]
  Mat<int32_t> slot;            // [T, K]
};
void moe_group(const Context& ctx, const MoeGroup& op);

// y[t] += sum_k weight[t, k] * routed[slot[t, k]] + shared[t], the sum over k in order and in FP32.
struct MoeCombine {
  Mat<const float> routed;      // [T * K, H]
  Mat<const float> shared;      // [T, H]
  Mat<const int32_t> slot;      // [T, K]
  Mat<const float> weight;      // [T, K]
  Mat<float> y;                 // [T, H]
};
void moe_combine(const Context& ctx, const MoeCombine& op);

namespace ref {
void moe_group(const Context& ctx, const MoeGroup& op);
void moe_combine(const Context& ctx, const MoeCombine& op);
}  // namespace ref
namespace cpu {
void moe_group(const Context& ctx, const MoeGroup& op);
void moe_combine(const Context& ctx, const MoeCombine& op);
}  // namespace cpu
namespace cuda {
void moe_group(const Context& ctx, const MoeGroup& op);
void moe_combine(const Context& ctx, const MoeCombine& op);
}  // namespace cuda

}  // namespace fathom::kernels
