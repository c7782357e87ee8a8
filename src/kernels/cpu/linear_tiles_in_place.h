// x w^T on tiles for up to 32 rows of x and BF16 weights, whose rows as they lie in the file are A tiles
// already.
#pragma once

#include "kernels/cpu/linear_tiles_strips.h"

namespace fathom::kernels::cpu {

// Sums of the strip from row n on with kGroups groups of x; the ragged end of its rows is copied.
template <int kGroups, class T>
void in_place_strip(T& t, const PlannedTask& p, int64_t n, StripScratch& s) {
  const std::byte* b0 = p.packed;
  const std::byte* b1 = b0 + (kGroups - 1) * p.copy_bytes;
  constexpr int64_t kAhead = 512;
  const Weight& w = p.task->w;
  const int64_t stride = w.cols * 2, whole = w.cols / 32;
  const StripTiles a{w.row(n), stride, 16 * stride, 64};
  clear_sums<kGroups>(t);
  for (int64_t i = 0; i < whole; ++i) {
    const int64_t ahead = 64 * i + kAhead, skip = ahead < stride ? 0 : (kStrip - 1) * stride;
    for (int64_t r = 0; r < kStrip; ++r)
      _mm_prefetch(reinterpret_cast<const char*>(a.at + r * stride + ahead + skip), _MM_HINT_T1);
    multiply_step<kGroups>(t, a, i, b0, b1);
  }
  if (w.cols % 32 != 0) {
    for (int64_t r = 0; r < kStrip; ++r)
      convert_row<DType::bf16>(w.row(n + r), whole * 32, w.cols % 32, s.strip[0], r);
    multiply_step<kGroups>(t, packed_tiles(s.strip[0]), 0, b0 + whole * kTileBytes, b1 + whole * kTileBytes);
  }
  store_sums<kGroups>(t, s.sums);
}

template <class T>
void in_place_outputs(T& t, const OutputRange& range, Write write, StripScratch& s) {
  const PlannedTask& p = *range.planned;
  const int64_t groups = (p.task->y.rows + 15) / 16;
  int64_t n = range.begin;
  for (; n + kStrip <= range.end; n += kStrip) {
    groups == 1 ? in_place_strip<1>(t, p, n, s) : in_place_strip<2>(t, p, n, s);
    for (int64_t g = 0; g < groups; ++g) write_strip(p, write, g, n, kStrip, s.sums + g * kStripSums);
  }
  if (n < range.end) strips_outputs<DType::bf16>(t, {&p, n, range.end}, write, s);
}

}  // namespace fathom::kernels::cpu
