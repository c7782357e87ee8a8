// x w^T on matrix tiles, as templates over the tiles T (tiles.h, or a model of them in tests) and w's dtype.
//
// One arithmetic for any number of rows: BF16 weights are summed along K in the tile, 32 columns an
// instruction. FP8 weights are summed so over the 128 columns of a scale block, and the blocks' sums, times
// their scales, in FP32.
#pragma once

#include "kernels/cpu/read_ahead.h"
#include "kernels/cpu/tile_pack.h"

namespace fathom::kernels::cpu {

// Up to this many rows of x, w's rows are read in as long runs as memory likes.
inline constexpr int64_t kFewRows = 32;

inline constexpr int64_t kBlockSteps = kScaleBlock / 32;

// Steps of 32 columns that K takes, with zeros at the end.
template <DType D>
constexpr int64_t steps_of(int64_t k) {
  return D == DType::e4m3 ? (k + 63) / 64 * 2 : (k + 31) / 32;
}

// C tiles 0 and 1 (rows 0 to 15 and 16 to 31 of the strip, against b0), 2 and 3 (against b1), over `steps`
// steps. A lies `a_row` bytes from row to row, `a_half` to the second half and `a_step` to the next step.
struct StripTiles {
  const std::byte* at;
  int64_t row, half, step;
};
inline StripTiles packed_tiles(const std::byte* strip) { return {strip, 64, kTileBytes, 2 * kTileBytes}; }

template <int kGroups, class T>
[[gnu::always_inline]] inline void multiply_step(T& t, const StripTiles& a, int64_t s, const std::byte* b0,
                                                 const std::byte* b1) {
  t.template load<6>(b0 + s * kTileBytes, 64);
  t.template load<4>(a.at + s * a.step, a.row);
  t.template multiply<0, 4, 6>();
  if constexpr (kGroups == 1) t.template release<4>();
  t.template load<5>(a.at + s * a.step + a.half, a.row);
  t.template multiply<1, 5, 6>();
  t.template release<6>();
  if constexpr (kGroups == 2) {
    t.template load<7>(b1 + s * kTileBytes, 64);
    t.template multiply<2, 4, 7>();
    t.template release<4>();
    t.template multiply<3, 5, 7>();
    t.template release<7>();
  }
  t.template release<5>();
}

template <int kGroups, class T>
[[gnu::always_inline]] inline void clear_sums(T& t) {
  t.template zero<0>();
  t.template zero<1>();
  if constexpr (kGroups == 2) {
    t.template zero<2>();
    t.template zero<3>();
  }
}

template <int kGroups, class T>
[[gnu::always_inline]] inline void release_sums(T& t) {
  t.template release<0>();
  t.template release<1>();
  if constexpr (kGroups == 2) {
    t.template release<2>();
    t.template release<3>();
  }
}

// Sums of a strip and one group of 16 rows of x: [32][16].
inline constexpr int64_t kStripSums = kStrip * 16;

template <int kGroups, class T>
[[gnu::always_inline]] inline void store_sums(T& t, float* sums) {
  t.template store<0>(sums, 64);
  t.template store<1>(sums + 256, 64);
  if constexpr (kGroups == 2) {
    t.template store<2>(sums + 512, 64);
    t.template store<3>(sums + 768, 64);
  }
  release_sums<kGroups>(t);
}

template <class T>
[[gnu::always_inline]] inline void load_sums(T& t, const float* sums) {
  t.template load<0>(sums, 64);
  t.template load<1>(sums + 256, 64);
}

// The scales of a strip's rows in one block of columns: rows from `boundary` on lie in the next block of
// rows.
struct StripScales {
  float first = 0, second = 0;
  int64_t boundary = kStrip;
  StripScales() = default;
  StripScales(const Weight& w, int64_t n, int64_t count, int64_t column)
      : first(w.scale(n, column)),
        second(w.scale(n + count - 1, column)),
        boundary(kScaleBlock - (w.first_row + n) % kScaleBlock) {}
};

template <bool kFirst>
[[gnu::always_inline]] inline void add_scaled_lines(const float* block, float scale, int64_t lines,
                                                    float* sums) {
  const auto factor = _mm512_set1_ps(scale);
  for (int64_t at = 0; at < 16 * lines; at += 16) {
    const auto old = kFirst ? _mm512_setzero_ps() : _mm512_load_ps(sums + at);
    _mm512_store_ps(sums + at, _mm512_fmadd_ps(_mm512_load_ps(block + at), factor, old));
  }
}

// sums (=|+=) block * scale for kGroups groups.
template <int kGroups>
[[gnu::always_inline]] inline void add_scaled(const float* block, const StripScales& scales, bool first,
                                              float* sums) {
  if (scales.boundary >= kStrip) {
    first ? add_scaled_lines<true>(block, scales.first, kGroups * kStrip, sums)
          : add_scaled_lines<false>(block, scales.first, kGroups * kStrip, sums);
    return;
  }
  const auto add = [first](const float* b, float scale, int64_t lines, float* s) {
    first ? add_scaled_lines<true>(b, scale, lines, s) : add_scaled_lines<false>(b, scale, lines, s);
  };
  for (int64_t g = 0; g < kGroups; ++g, block += kStripSums, sums += kStripSums) {
    add(block, scales.first, scales.boundary, sums);
    add(block + 16 * scales.boundary, scales.second, kStrip - scales.boundary, sums + 16 * scales.boundary);
  }
}

}  // namespace fathom::kernels::cpu
