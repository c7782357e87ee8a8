// Rows of x as they meet FP8 weights: in the order in which decoding leaves the elements of each step, times
// the scale of the block of w.
//
// A scale times a weight would cost a multiplication for each weight; times x it is one for each 128 rows of
// w. The sums of a row do not depend on where this is done.
#pragma once

#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/scale_row.h"

namespace fathom::kernels::cpu {

// n rounded up to whole steps.
template <class S>
constexpr int64_t whole_steps(int64_t n) {
  return (n + S::kOrderedStep - 1) / S::kOrderedStep * S::kOrderedStep;
}

// Rows of x that a tile meets.
struct RowsOfX {
  const float* data;
  int64_t stride;
  const int32_t* gather;  // null: row r is row r
  const float* row(int64_t r) const { return data + (gather != nullptr ? gather[r] : r) * stride; }
};

inline RowsOfX rows_of(const PlannedTask& p) { return {p.x, p.x_stride, p.task->gather}; }

// One row in decoding order, zero up to a whole step, rounded to BF16 when asked.
template <class S>
void order_row(const float* x, int64_t n, bool round, float* out) {
  typename S::F v[S::kOrderedVectors];
  for (int64_t i = 0; i < n; i += S::kOrderedStep) {
#pragma GCC unroll 4
    for (int j = 0; j < S::kOrderedVectors; ++j) {
      const int64_t left = n - i - j * S::kLanes;
      v[j] = left >= S::kLanes ? S::load(x + i + j * S::kLanes)
             : left > 0        ? S::load_n(x + i + j * S::kLanes, left)
                               : S::zero();
      if (round) v[j] = S::round_bf16(v[j]);
    }
    S::store_e4m3_order(out + i, v);
  }
}

// Floats that `rows` scaled rows take.
inline int64_t scaled_floats(const PlannedTask& p, int64_t rows) { return rows * p.x_stride; }

// Rows [m, m + rows) of y's, which are ordered, times the scales of row n of w and kOrderedUnitX.
template <class S>
RowsOfX scale_rows(const PlannedTask& p, int64_t m, int64_t rows, int64_t n, float* out) {
  const std::byte* scales = scale_row(p.task->w, n);
  for (int64_t r = 0; r < rows; ++r) {
    const float* x = p.row(m + r);
    float* y = out + r * p.x_stride;
    for (int64_t k = 0; k < p.task->w.cols; k += kScaleBlock) {
      const auto scale = S::set1(S::kOrderedUnitX * load_scale(scales, k));
      const int64_t end = whole_steps<S>(p.task->w.cols - k < kScaleBlock ? p.task->w.cols : k + kScaleBlock);
#pragma GCC unroll 8
      for (int64_t i = k; i < end; i += S::kLanes) S::store(y + i, S::mul(S::load(x + i), scale));
    }
  }
  return {out, p.x_stride, nullptr};
}

}  // namespace fathom::kernels::cpu
