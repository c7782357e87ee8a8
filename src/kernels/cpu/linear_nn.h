// x w (not transposed), as templates over the vector type S.
#pragma once

#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/linear_plan.h"

namespace fathom::kernels::cpu {

// What a tile multiplies by: columns of w, stored or decoded.
struct ColumnBlock {
  StoredRows rows;                       // `column` counts from its first element
  int64_t column = 0, n = 0, count = 0;  // columns [n, n + count) of y
};

template <class S, DType D, int MR>
void nn_tile(const PlannedTask& p, Write write, const ColumnBlock& b, int64_t m) {
  const Weight& w = p.task->w;
  const float* x[MR];
  for (int i = 0; i < MR; ++i) x[i] = p.row(m + i);
  typename S::F acc[MR][S::kStepVectors];
  const auto scales_of = [&w](int64_t k) { return scale_row(w, k); };
  axpy_stored<S, D, MR>(x, b.rows, scales_of, w.rows, b.column, b.count, acc);
#pragma GCC unroll 8
  for (int i = 0; i < MR; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < S::kStepVectors; ++v) {
      const int64_t left = b.count - v * S::kLanes;
      if (left > 0)
        write_vector<S>(p.task->y.row(m + i) + b.n + v * S::kLanes, acc[i][v],
                        left < S::kLanes ? left : S::kLanes, write);
    }
  }
}

template <class S, DType D, int MR>
void nn_rest(const PlannedTask& p, Write write, const ColumnBlock& b, int64_t m, int64_t rows) {
  if constexpr (MR > 0) {
    if (rows == MR) return nn_tile<S, D, MR>(p, write, b, m);
    nn_rest<S, D, MR - 1>(p, write, b, m, rows);
  }
}

template <class S, DType D>
void nn_rows(const PlannedTask& p, Write write, const ColumnBlock& b) {
  int64_t m = 0;
  for (; m + S::kTileRows <= p.task->y.rows; m += S::kTileRows) nn_tile<S, D, S::kTileRows>(p, write, b, m);
  nn_rest<S, D, S::kTileRows - 1>(p, write, b, m, p.task->y.rows - m);
}

template <class S, DType D>
void linear_nn_chunk(const Context& ctx, int thread, const OutputRange& range, Write write) {
  const PlannedTask& p = *range.planned;
  const Weight& w = p.task->w;
  require_finite_scales(w, 0, w.rows);
  const StoredRows stored{w.data, static_cast<size_t>(w.cols) * size_of(D)};
  for (int64_t c = range.begin; c < range.end; c += S::kStep) {
    const int64_t count = range.end - c < S::kStep ? range.end - c : S::kStep;
    if (D == DType::f32 || p.task->y.rows <= direct_rows(D)) {
      nn_rows<S, D>(p, write, {stored, c, c, count});
      continue;
    }
    constexpr size_t kStride = static_cast<size_t>(S::kStep) * sizeof(float);
    std::byte* panel = ctx.pool->scratch(thread, static_cast<size_t>(w.rows) * kStride);
    for (int64_t k = 0; k < w.rows; ++k) {
      const std::byte* scales = scale_row(w, k);
      if (scales != nullptr) scales += static_cast<size_t>(c / kScaleBlock) * sizeof(float);
      dequantize<S, D>(stored.row(k) + static_cast<size_t>(c) * size_of(D), scales, count,
                       reinterpret_cast<float*>(panel + static_cast<size_t>(k) * kStride));
    }
    nn_rows<S, DType::f32>(p, write, {{panel, kStride}, 0, c, count});
  }
}

}  // namespace fathom::kernels::cpu
