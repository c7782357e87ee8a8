// The innermost loops of all products with FP32 arithmetic, as templates over the vector type S.
//
// One arithmetic, whatever the tile: an element of x w^T is one vector accumulator that walks along K in
// order and is summed across lanes at the end; an element of x w is one lane that walks along K in order. In
// x w^T the scales of FP8 weights come with x (ordered_rows.h); in x w a weight is multiplied by its scale,
// rounded once. So tiles of any size give the same bits.
#pragma once

#include <algorithm>

#include "kernels/cpu/rows.h"
#include "tensor/mat.h"

namespace fathom::kernels::cpu {

// Rows of a stored matrix: where row 0 begins, and bytes from one to the next.
struct StoredRows {
  const std::byte* data;
  size_t stride;
  const std::byte* row(int64_t r) const { return data + static_cast<size_t>(r) * stride; }
};

// Elements times `scale`, which holds kE4m3Unit, for FP8.
template <class S, DType D>
[[gnu::always_inline]] inline void decode_scaled(const std::byte* p, int64_t n, typename S::F scale,
                                                 typename S::F (&out)[S::kStepVectors]) {
  if (n == S::kStep)
    S::template decode<D>(p, out);
  else
    decode_n<S, D>(p, n, out);
  if constexpr (D == DType::e4m3) {
#pragma GCC unroll 4
    for (int v = 0; v < S::kStepVectors; ++v) out[v] = S::mul(out[v], scale);
  }
}

// Sums of MR rows of x with four rows of w, kept in registers. They can be put down and taken up again.
template <class S, int MR>
struct DotTile {
  typename S::F acc[MR][4];

  void clear() {
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m)
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) acc[m][n] = S::zero();
  }
  void load(const float* p) {
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m)
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) acc[m][n] = S::load(p + (m * 4 + n) * S::kLanes);
  }
  void store(float* p) const {
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m)
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) S::store(p + (m * 4 + n) * S::kLanes, acc[m][n]);
  }
  __m128 totals(int m) const { return S::sum4(acc[m][0], acc[m][1], acc[m][2], acc[m][3]); }
  __m128 totals(int m, float unit) const { return _mm_mul_ps(totals(m), _mm_set1_ps(unit)); }
};

// tile += x w^T over the columns [0, n) of decoded rows of w, `stride` floats apart and zero up to whole
// vectors.
template <class S, int MR>
[[gnu::always_inline]] inline void dot_decoded(const float* const (&x)[MR], const float* w, int64_t stride,
                                               int64_t n, DotTile<S, MR>& tile) {
  int64_t k = 0;
  for (; k + S::kLanes <= n; k += S::kLanes) {
    typename S::F wide[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) wide[j] = S::load(w + j * stride + k);
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m) {
      const auto v = S::load(x[m] + k);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) tile.acc[m][j] = S::fma(v, wide[j], tile.acc[m][j]);
    }
  }
  if (k == n) return;
#pragma GCC unroll 8
  for (int m = 0; m < MR; ++m) {
    const auto v = S::load_n(x[m] + k, n - k);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) tile.acc[m][j] = S::fma(v, S::load(w + j * stride + k), tile.acc[m][j]);
  }
}

// Four stored rows.
struct FourRows {
  const std::byte* row[4];
};

// Vectors, and elements, that are decoded at once where they meet x.
template <class S, DType D>
inline constexpr int kDotVectors = D == DType::e4m3 ? S::kOrderedVectors : S::kStepVectors;
template <class S, DType D>
inline constexpr int64_t kDotStep = kDotVectors<S, D> * S::kLanes;

// A step of stored elements as they meet x, without a scale. FP8: times 1 / (kOrderedUnitX kOrderedUnitY).
template <class S, DType D>
[[gnu::always_inline]] inline void decode_for_dot(const std::byte* p, typename S::F (&out)[kDotVectors<S, D>],
                                                  typename S::NanWatch& watch) {
  if constexpr (D == DType::e4m3)
    S::decode_in_e4m3_order(p, out, watch);
  else
    S::template decode<D>(p, out);
}

// The first `n` of them; the others are zero.
template <class S, DType D>
void decode_rest_for_dot(const std::byte* p, int64_t n, typename S::F (&out)[kDotVectors<S, D>],
                         typename S::NanWatch& watch) {
  decode_for_dot<S, D>(PaddedStep<kDotStep<S, D>, D>(p, n).bytes, out, watch);
}

inline bool has_nan_code(const std::byte* p, int64_t n) {
  return std::any_of(p, p + n, [](std::byte b) { return (b & std::byte{0x7F}) == std::byte{0x7F}; });
}

// What sums are multiplied by at the end.
template <class S, DType D>
inline constexpr float kDotUnit = D == DType::e4m3 ? S::kOrderedUnitY : 1.0f;

// Rows [begin, end) as four streams of neighbours that are walked side by side: each goes on through memory
// row after row, so that asking ahead of it never misses, and two of them share a page only where rows are
// few. (Four neighbours at a time, whose streams begin anew every row and share pages, were read at three
// quarters of the speed.)
struct FourStreams {
  int64_t begin, end, length;
  FourStreams(int64_t first, int64_t last) : begin(first), end(last), length((last - first + 3) / 4) {}
  // Row i of stream s; rows that are not there repeat the first stream's.
  int64_t at(int64_t i, int s) const {
    const int64_t row = begin + s * length + i;
    return row < end ? row : begin + i;
  }
  // y[row] (=|+=) v for the four rows i.
  void write(float* y, int64_t i, __m128 v, Write write) const {
    float lane[4];
    _mm_storeu_ps(lane, v);
    for (int64_t s = 0, row = begin + i; s < 4 && row < end; ++s, row += length)
      y[row] = write == Write::accumulate ? y[row] + lane[s] : lane[s];
  }
};

// Asks for what follows a step of a stream's elements, from i on, after a while: one line after the other
// among the arithmetic.
template <class S, DType D>
[[gnu::always_inline]] inline void prefetch_step(const std::byte* row, int64_t i) {
  constexpr int64_t kAhead = 1024;
  constexpr int64_t kSize = static_cast<int64_t>(size_of(D)), kBytes = kDotStep<S, D> * kSize;
  if (kBytes < 64 && i * kSize % 64 != 0) return;
#pragma GCC unroll 4
  for (int64_t line = 0; line < kBytes; line += 64)
    _mm_prefetch(reinterpret_cast<const char*>(row) + i * kSize + kAhead + line, _MM_HINT_T0);
}

// tile += x w^T over `kSteps` steps from column k on, decoded on the way.
template <class S, DType D, int MR, int kSteps>
[[gnu::always_inline]] inline void dot_steps(const float* const (&x)[MR], const FourRows& w, int64_t k,
                                             DotTile<S, MR>& tile, typename S::NanWatch& watch) {
#pragma GCC unroll 2
  for (int64_t i = k; i < k + kSteps * kDotStep<S, D>; i += kDotStep<S, D>) {
#pragma GCC unroll 4
    for (int n = 0; n < 4; ++n) {
      typename S::F wide[kDotVectors<S, D>];
      int64_t at = i;
      if constexpr (S::kReloads) __asm__("" : "+r"(at));  // another column for all that the compiler knows
      prefetch_step<S, D>(w.row[n], i);
      decode_for_dot<S, D>(w.row[n] + static_cast<size_t>(at) * size_of(D), wide, watch);
#pragma GCC unroll 4
      for (int v = 0; v < kDotVectors<S, D>; ++v)
#pragma GCC unroll 8
        for (int m = 0; m < MR; ++m)
          tile.acc[m][n] = S::fma(S::load(x[m] + at + v * S::kLanes), wide[v], tile.acc[m][n]);
    }
  }
}

// The same for the columns that end a row, less than a step. Rows of x are whole steps for FP8.
template <class S, DType D, int MR>
void dot_rest(const float* const (&x)[MR], const FourRows& w, int64_t k, int64_t rest, DotTile<S, MR>& tile,
              typename S::NanWatch& watch) {
  const int64_t n = D == DType::e4m3 ? kDotStep<S, D> : rest;
  for (int j = 0; j < 4; ++j) {
    typename S::F wide[kDotVectors<S, D>];
    decode_rest_for_dot<S, D>(w.row[j] + static_cast<size_t>(k) * size_of(D), rest, wide, watch);
    for (int v = 0; v * S::kLanes < n; ++v) {
      const int64_t left = n - v * S::kLanes, lanes = left < S::kLanes ? left : S::kLanes;
      for (int m = 0; m < MR; ++m)
        tile.acc[m][j] = S::fma(S::load_n(x[m] + k + v * S::kLanes, lanes), wide[v], tile.acc[m][j]);
    }
  }
}

// Sums with rows of w that hold NaN.
template <class S, int MR>
[[gnu::cold, gnu::noinline]] void spread_nan(const FourRows& w, int64_t k, DotTile<S, MR>& tile) {
  for (int n = 0; n < 4; ++n)
    if (has_nan_code(w.row[n], k))
      for (int m = 0; m < MR; ++m) tile.acc[m][n] = S::set1(__builtin_nanf(""));
}

// tile += x w^T over k columns, divided by kDotUnit.
template <class S, DType D, int MR>
[[gnu::always_inline]] inline void dot_stored(const float* const (&x)[MR], const FourRows& w, int64_t k,
                                              DotTile<S, MR>& tile) {
  constexpr int64_t kStep = kDotStep<S, D>;
  typename S::NanWatch watch;
  int64_t i = 0;
  for (; i + kScaleBlock <= k; i += kScaleBlock)
    dot_steps<S, D, MR, static_cast<int>(kScaleBlock / kStep)>(x, w, i, tile, watch);
  for (; i + kStep <= k; i += kStep) dot_steps<S, D, MR, 1>(x, w, i, tile, watch);
  if (i < k) dot_rest<S, D, MR>(x, w, i, k - i, tile, watch);
  if (D == DType::e4m3 && watch.found()) spread_nan<S, MR>(w, k, tile);
}

// acc[m] = sum over rows k of x[m][k] w[k][column .. column + count), count <= kStep. `scales_of(k)` yields
// the scale row of w's row k and is asked for FP8 only.
template <class S, DType D, int MR, class ScalesOf>
[[gnu::always_inline]] inline void axpy_stored(const float* const (&x)[MR], const StoredRows& w,
                                               const ScalesOf& scales_of, int64_t k, int64_t column,
                                               int64_t count, typename S::F (&acc)[MR][S::kStepVectors]) {
  using F = typename S::F;
#pragma GCC unroll 8
  for (int m = 0; m < MR; ++m)
#pragma GCC unroll 4
    for (int v = 0; v < S::kStepVectors; ++v) acc[m][v] = S::zero();
  F wide[S::kStepVectors];
  for (int64_t i = 0; i < k; ++i) {
    F scale = S::zero();
    if constexpr (D == DType::e4m3) scale = S::set1(S::kE4m3Unit * load_scale(scales_of(i), column));
    decode_scaled<S, D>(w.row(i) + static_cast<size_t>(column) * size_of(D), count, scale, wide);
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m) {
      const F factor = S::set1(x[m][i]);
#pragma GCC unroll 4
      for (int v = 0; v < S::kStepVectors; ++v) acc[m][v] = S::fma(factor, wide[v], acc[m][v]);
    }
  }
}

// y (=|+=) v for n <= kLanes elements.
template <class S>
inline void write_vector(float* y, typename S::F v, int64_t n, Write write) {
  if (write == Write::accumulate) v = S::add(S::load_n(y, n), v);
  S::store_n(y, v, n);
}

// y (=|+=) v for n <= 4 elements.
inline void write_four(float* y, __m128 v, int64_t n, Write write) {
  if (n == 4) {
    _mm_storeu_ps(y, write == Write::accumulate ? _mm_add_ps(_mm_loadu_ps(y), v) : v);
    return;
  }
  float lane[4];
  _mm_storeu_ps(lane, v);
  for (int64_t i = 0; i < n; ++i) y[i] = write == Write::accumulate ? y[i] + lane[i] : lane[i];
}

}  // namespace fathom::kernels::cpu
