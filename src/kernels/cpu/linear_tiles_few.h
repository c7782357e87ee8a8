// x w^T on tiles for up to 32 rows of x: w streams from memory a strip of 32 rows at a time, decoded just
// before use.
#pragma once

#include "kernels/cpu/linear_tiles.h"

namespace fathom::kernels::cpu {

struct alignas(64) FewScratch {
  std::byte strip[2][kBlockSteps * 2 * kTileBytes];  // the block at work and the one being decoded
  float block[2 * kStripSums], sums[2 * kStripSums];
};

// Rows [r, r + rows) of a block of w into a strip; rows past `count` become zero.
template <DType D>
inline void convert_rows(const Weight& w, int64_t n, int64_t count, int64_t column, int64_t width, int64_t r,
                         int64_t rows, std::byte* strip) {
  constexpr int64_t kAhead = 256;  // bytes: about the latency of memory at the pace of a core
  const int64_t stride = w.cols * static_cast<int64_t>(size_of(D));
  const int64_t ahead = column * static_cast<int64_t>(size_of(D)) + kAhead;
  const int64_t skip = ahead < stride ? 0 : (kStrip - 1) * stride;  // past the row's end comes the next strip
  for (int64_t i = r; i < r + rows; ++i) {
    if (i >= count) {
      clear_row(steps_of<D>(width), strip, i);
      continue;
    }
    const std::byte* row = w.row(n + i);
    for (int64_t line = 0; line < width * static_cast<int64_t>(size_of(D)); line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(row + ahead + skip + line), _MM_HINT_T1);
    convert_row<D>(row, column, width, strip, i);
  }
}

// Blocks of 128 columns through the strip buffers: the tiles work on one while the next is decoded.
template <DType D, int kGroups, class T>
void few_rows_decoded(T& t, const PlannedTask& p, int64_t n, int64_t count, const std::byte* b0,
                      const std::byte* b1, FewScratch& s) {
  const Weight& w = p.task->w;
  const auto width_at = [&](int64_t c) { return w.cols - c < kScaleBlock ? w.cols - c : kScaleBlock; };
  convert_rows<D>(w, n, count, 0, width_at(0), 0, kStrip, s.strip[0]);
  int64_t at = 0;
  for (int64_t c = 0; c < w.cols; c += kScaleBlock, ++at) {
    const int64_t steps = steps_of<D>(width_at(c)), next = c + kScaleBlock;
    std::byte* const decoded = s.strip[(at + 1) % 2];
    if (D == DType::e4m3 || c == 0) clear_sums<kGroups>(t);
    for (int64_t i = 0; i < kBlockSteps; ++i) {
      if (i < steps) multiply_step<kGroups>(t, packed_tiles(s.strip[at % 2]), i, b0, b1);
      if (next < w.cols)
        convert_rows<D>(w, n, count, next, width_at(next), i * kStrip / kBlockSteps, kStrip / kBlockSteps,
                        decoded);
    }
    b0 += steps * kTileBytes;
    b1 += steps * kTileBytes;
    if constexpr (D == DType::e4m3) {
      store_sums<kGroups>(t, s.block);
      add_scaled<kGroups>(s.block, StripScales(w, n, count, c), c == 0, s.sums);
    }
  }
  if constexpr (D != DType::e4m3) store_sums<kGroups>(t, s.sums);
}

// BF16 rows as they lie in the file are A tiles already, but for a ragged end.
template <int kGroups, class T>
void few_rows_in_place(T& t, const PlannedTask& p, int64_t n, const std::byte* b0, const std::byte* b1,
                       FewScratch& s) {
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

template <DType D, int kGroups, class T>
void few_rows_strip(T& t, const PlannedTask& p, Write write, int64_t n, int64_t count, FewScratch& s) {
  const std::byte* b0 = p.packed;
  const std::byte* b1 = b0 + (kGroups - 1) * p.copy_bytes;
  if constexpr (D == DType::bf16) {
    if (count == kStrip)
      few_rows_in_place<kGroups>(t, p, n, b0, b1, s);
    else
      few_rows_decoded<D, kGroups>(t, p, n, count, b0, b1, s);
  } else {
    few_rows_decoded<D, kGroups>(t, p, n, count, b0, b1, s);
  }
  for (int g = 0; g < kGroups; ++g) write_strip(p, write, g, n, count, s.sums + g * kStripSums);
}

template <DType D, class T>
void few_rows_outputs(T& t, const OutputRange& range, Write write, FewScratch& s) {
  for (int64_t n = range.begin; n < range.end; n += kStrip) {
    const int64_t count = range.end - n < kStrip ? range.end - n : kStrip;
    if (range.planned->task->y.rows <= 16)
      few_rows_strip<D, 1>(t, *range.planned, write, n, count, s);
    else
      few_rows_strip<D, 2>(t, *range.planned, write, n, count, s);
  }
}

}  // namespace fathom::kernels::cpu
