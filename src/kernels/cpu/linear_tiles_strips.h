// x w^T on tiles: w goes by, a strip of 32 rows and a block of 128 columns at a time, decoded into one of two
// buffers in the first-level cache while the tiles work on the other.
//
// With many rows of x, four strips share a block of columns, since x then comes from afar; with few, w's rows
// are read in longer runs. The sums of all rows of x over a panel of strips stay in the second-level cache.
#pragma once

#include "kernels/cpu/linear_tiles.h"

namespace fathom::kernels::cpu {

inline constexpr int64_t kPanelStrips = 4, kBlockGroups = 32;  // of 16 rows of x

struct alignas(64) StripScratch {
  std::byte strip[2][kBlockSteps * 2 * kTileBytes];
  float block[kStripSums];
  float sums[kPanelStrips * kBlockGroups * kStripSums];  // [strip][group][32][16]
};

// Where the walk over w stands: strip by strip through a panel, then the next columns, then the next rows of
// x, then the next panel.
struct StripWalk {
  const PlannedTask* planned;
  int64_t end, panel_rows;  // of w
  int64_t panel, strip = 0, c = 0,
                 group = 0;  // first row of the panel, strip in it, column, first group of x
  int64_t groups() const {
    const int64_t left = (planned->task->y.rows + 15) / 16 - group;
    return left < kBlockGroups ? left : kBlockGroups;
  }
  int64_t strips() const {
    const int64_t rows = end - panel < panel_rows ? end - panel : panel_rows;
    return (rows + kStrip - 1) / kStrip;
  }
  int64_t row() const { return panel + strip * kStrip; }
  int64_t count() const { return end - row() < kStrip ? end - row() : kStrip; }
  int64_t width() const {
    const int64_t left = planned->task->w.cols - c;
    return left < kScaleBlock ? left : kScaleBlock;
  }
  bool done() const { return panel >= end; }
  bool last_columns() const { return c + kScaleBlock >= planned->task->w.cols; }
  void advance() {
    if (++strip < strips()) return;
    strip = 0;
    if (c += kScaleBlock; c < planned->task->w.cols) return;
    c = 0;
    if (group += kBlockGroups; group * 16 < planned->task->y.rows) return;
    group = 0;
    panel += panel_rows;
  }
};

// Decodes the strip and columns where a walk stands, some rows at a time, so that it can go between the
// tiles' instructions.
template <DType D>
class StripDecoder {
  static constexpr int64_t kSize = static_cast<int64_t>(size_of(D));
  static constexpr int64_t kAhead =
      2 * kScaleBlock * kSize;  // bytes: the latency of memory at the pace of a core

 public:
  StripDecoder(const StripWalk& walk, std::byte* strip)
      : stride_(walk.planned->task->w.cols * kSize),
        width_(walk.width()),
        count_(walk.count()),
        at_(walk.planned->task->w.row(walk.row()) + walk.c * kSize),
        strip_(strip) {
    // Past the row's end comes the panel after this one.
    const bool inside = walk.c * kSize + kAhead < stride_;
    ahead_ = inside ? kAhead : kAhead + (walk.panel_rows - 1) * stride_;
  }
  explicit StripDecoder(std::byte* strip) : row_(kStrip), strip_(strip) {}  // nothing left to decode

  [[gnu::always_inline]] void rows(int64_t n) {
    for (const int64_t end = row_ + n < kStrip ? row_ + n : kStrip; row_ < end; ++row_, at_ += stride_) one();
  }
  void rest() { rows(kStrip - row_); }

 private:
  [[gnu::always_inline]] void one() {
    if (row_ >= count_) return clear_row(steps_of<D>(width_), strip_, row_);
    for (int64_t line = 0; line < kScaleBlock * kSize; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(at_ + ahead_ + line), _MM_HINT_T1);
    convert_row<D>(at_, 0, width_ == kScaleBlock ? kScaleBlock : width_, strip_, row_);
  }

  int64_t row_ = 0, stride_ = 0, width_ = 0, count_ = 0, ahead_ = 0;
  const std::byte* at_ = nullptr;
  std::byte* strip_;
};

// One strip and block of columns against one group of rows of x; `between` is called after each product.
template <DType D, class T, class Between>
[[gnu::always_inline]] inline void strip_block(T& t, const StripWalk& at, const std::byte* strip,
                                               const std::byte* b, const StripScales& scales, StripScratch& s,
                                               float* sums, const Between& between) {
  if (D == DType::e4m3 || at.c == 0)
    clear_sums<1>(t);
  else
    load_sums<1>(t, sums);
  const int64_t steps = steps_of<D>(at.width());
  for (int64_t i = 0; i < steps; ++i, strip += 2 * kTileBytes, b += kTileBytes) {
    t.template load<6>(b, 64);
    t.template load<4>(strip, 64);
    t.template multiply<0, 4, 6>();
    t.template release<4>();
    between();
    t.template load<5>(strip + kTileBytes, 64);
    t.template multiply<1, 5, 6>();
    t.template release<5>();
    t.template release<6>();
    between();
  }
  store_sums<1>(t, D == DType::e4m3 ? s.block : sums);
  if constexpr (D == DType::e4m3) add_scaled<1>(s.block, scales, at.c == 0, sums);
}

// The walk's strip and columns against its groups of x, while `next` is decoded.
template <DType D, class T>
inline void strip_groups(T& t, const StripWalk& at, const std::byte* strip, StripDecoder<D>& next,
                         StripScratch& s) {
  const PlannedTask& p = *at.planned;
  const int64_t groups = at.groups(), share = (kStrip + 8 * groups - 1) / (8 * groups);
  float* sums = s.sums + at.strip * kBlockGroups * kStripSums;
  const std::byte* b = p.packed + at.group * p.copy_bytes + at.c / 32 * kTileBytes;
  const StripScales scales(p.task->w, at.row(), at.count(), at.c);
  for (int64_t g = 0; g < groups; ++g, b += p.copy_bytes, sums += kStripSums) {
    strip_block<D>(
        t, at, strip, b, scales, s, sums, [&]() __attribute__((always_inline)) { next.rows(share); });
    if (groups * 16 <= kFewRows || g + 1 == groups) continue;
    for (int64_t line = 0; line < kBlockSteps * kTileBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(b + p.copy_bytes + line), _MM_HINT_T0);
  }
  next.rest();
}

template <DType D, class T>
void strips_outputs(T& t, const OutputRange& range, Write write, StripScratch& s) {
  const bool few = range.planned->task->y.rows <= kFewRows;
  StripWalk at{range.planned, range.end, few ? kStrip : kPanelStrips * kStrip, range.begin};
  StripDecoder<D>(at, s.strip[0]).rest();
  for (int64_t buffer = 0; !at.done(); buffer ^= 1) {
    StripWalk after = at;
    after.advance();
    StripDecoder<D> next =
        after.done() ? StripDecoder<D>(s.strip[buffer ^ 1]) : StripDecoder<D>(after, s.strip[buffer ^ 1]);
    strip_groups<D>(t, at, s.strip[buffer], next, s);
    if (at.last_columns()) {
      const float* sums = s.sums + at.strip * kBlockGroups * kStripSums;
      for (int64_t g = 0; g < at.groups(); ++g, sums += kStripSums)
        write_strip(*at.planned, write, at.group + g, at.row(), at.count(), sums);
    }
    at = after;
  }
}

}  // namespace fathom::kernels::cpu
