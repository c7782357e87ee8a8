// The innermost loops of all products with FP32 arithmetic, as templates over the vector type S.
//
// One arithmetic, whatever the tile: an element of x w^T is one vector accumulator that walks along K in
// order and is summed across lanes at the end; an element of x w is one lane that walks along K in order. An
// FP8 weight is decoded and multiplied by its scale, rounded once. So tiles of any size give the same bits.
#pragma once

#include "kernels/cpu/rows.h"
#include "tensor/mat.h"

namespace fathom::kernels::cpu {

// Rows of a stored matrix: where row 0 begins, and bytes from one to the next.
struct StoredRows {
  const std::byte* data;
  size_t stride;
  const std::byte* row(int64_t r) const { return data + static_cast<size_t>(r) * stride; }
};

template <class S, DType D>
void decode_scaled(const std::byte* p, int64_t n, typename S::F scale,
                   typename S::F (&out)[S::kStepVectors]) {
  if (n == S::kStep)
    S::template decode<D>(p, out);
  else
    decode_n<S, D>(p, n, out);
  if constexpr (D == DType::e4m3)
    for (int v = 0; v < S::kStepVectors; ++v) out[v] = S::mul(out[v], scale);
}

// acc[m][n] += x[m] w[n]^T over columns [begin, end) of a scale block.
template <class S, DType D, int MR, int NR>
void dot_block(const float* const (&x)[MR], const std::byte* const (&w)[NR],
               const std::byte* const (&scales)[NR], int64_t begin, int64_t end,
               typename S::F (&acc)[MR][NR]) {
  using F = typename S::F;
  F scale[NR], wide[S::kStepVectors];
  for (int n = 0; n < NR; ++n)
    scale[n] = D == DType::e4m3 ? S::set1(load_scale(scales[n], begin)) : S::zero();
  int64_t k = begin;
  for (; k + S::kStep <= end; k += S::kStep) {
    for (int n = 0; n < NR; ++n) {
      decode_scaled<S, D>(w[n] + static_cast<size_t>(k) * size_of(D), S::kStep, scale[n], wide);
      for (int v = 0; v < S::kStepVectors; ++v)
        for (int m = 0; m < MR; ++m)
          acc[m][n] = S::fma(S::load(x[m] + k + v * S::kLanes), wide[v], acc[m][n]);
    }
  }
  if (k == end) return;
  for (int n = 0; n < NR; ++n) {
    decode_scaled<S, D>(w[n] + static_cast<size_t>(k) * size_of(D), end - k, scale[n], wide);
    for (int v = 0; v < S::kStepVectors; ++v) {
      const int64_t left = end - k - v * S::kLanes;
      if (left <= 0) break;
      const int64_t lanes = left < S::kLanes ? left : S::kLanes;
      for (int m = 0; m < MR; ++m)
        acc[m][n] = S::fma(S::load_n(x[m] + k + v * S::kLanes, lanes), wide[v], acc[m][n]);
    }
  }
}

// out[m][n] = x[m] . w[n] over k columns.
template <class S, DType D, int MR, int NR>
void dot_tile(const float* const (&x)[MR], const std::byte* const (&w)[NR],
              const std::byte* const (&scales)[NR], int64_t k, float (&out)[MR][NR]) {
  typename S::F acc[MR][NR];
  for (int m = 0; m < MR; ++m)
    for (int n = 0; n < NR; ++n) acc[m][n] = S::zero();
  for (int64_t begin = 0; begin < k; begin += kScaleBlock)
    dot_block<S, D, MR, NR>(x, w, scales, begin, k < begin + kScaleBlock ? k : begin + kScaleBlock, acc);
  for (int m = 0; m < MR; ++m)
    for (int n = 0; n < NR; ++n) out[m][n] = S::sum(acc[m][n]);
}

// acc[m] = sum over rows k of x[m][k] w[k][column .. column + count), count <= kStep. `scales_of(k)` yields
// the scale row of w's row k and is asked for FP8 only.
template <class S, DType D, int MR, class ScalesOf>
void axpy_tile(const float* const (&x)[MR], const StoredRows& w, const ScalesOf& scales_of, int64_t k,
               int64_t column, int64_t count, typename S::F (&acc)[MR][S::kStepVectors]) {
  using F = typename S::F;
  for (int m = 0; m < MR; ++m)
    for (int v = 0; v < S::kStepVectors; ++v) acc[m][v] = S::zero();
  F wide[S::kStepVectors];
  for (int64_t i = 0; i < k; ++i) {
    F scale = S::zero();
    if constexpr (D == DType::e4m3) scale = S::set1(load_scale(scales_of(i), column));
    decode_scaled<S, D>(w.row(i) + static_cast<size_t>(column) * size_of(D), count, scale, wide);
    for (int m = 0; m < MR; ++m) {
      const F factor = S::set1(x[m][i]);
      for (int v = 0; v < S::kStepVectors; ++v) acc[m][v] = S::fma(factor, wide[v], acc[m][v]);
    }
  }
}

// y (=|+=) v for n <= kLanes elements.
template <class S>
void write_vector(float* y, typename S::F v, int64_t n, Write write) {
  if (write == Write::accumulate) v = S::add(S::load_n(y, n), v);
  S::store_n(y, v, n);
}

}  // namespace fathom::kernels::cpu
