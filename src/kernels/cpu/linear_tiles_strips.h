// x w^T on tiles: w goes by, a strip of 32 rows and a block of 128 columns at a time, decoded into one of two
// buffers in the first-level cache while the tiles work on the other.
//
// With many rows of x, strips share a block of columns, since x then comes from afar; with few, w's rows
// are read in longer runs. The sums of all rows of x over a panel of strips stay in the second-level cache.
#pragma once

#include "kernels/cpu/linear_tiles.h"

namespace fathom::kernels::cpu {

inline constexpr int64_t kPanelStrips = 4, kBlockGroups = 32;  // of 16 rows of x
// Strips of a panel: measured best for 48 and 64 rows (2) and for 512 (4) on the AMX machine of
// bench/results.
inline int64_t panel_strips(int64_t rows) { return rows <= kFewRows ? 1 : (rows <= 128 ? 2 : kPanelStrips); }

struct alignas(64) StripScratch {
  std::byte strip[2][kBlockSteps * 2 * kTileBytes];
  float block[kStripSums];
  float sums[kPanelStrips * kBlockGroups * kStripSums];  // [strip][group][32][16]
};

[[gnu::always_inline]] inline void prefetch_tile(const std::byte* tile) {
#pragma GCC unroll 16
  for (int64_t line = 0; line < kTileBytes; line += 64)
    _mm_prefetch(reinterpret_cast<const char*>(tile + line), _MM_HINT_T0);
}

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
// tiles' instructions. Line r of step s lies at 2048 s + 64 r.
template <DType D>
class StripDecoder {
  static constexpr int64_t kSize = static_cast<int64_t>(size_of(D)), kBytes = kScaleBlock * kSize;

 public:
  explicit StripDecoder(std::byte* strip) : to_(strip) {}
  // Ragged ends are decoded here and now.
  [[gnu::always_inline]] void begin(const StripWalk& walk) {
    // The latency of memory at the pace of a core: two blocks of columns, or one where strips lie between.
    const int64_t ahead = walk.panel_rows == kStrip ? 2 * kBytes : kBytes;
    const Weight& w = walk.planned->task->w;
    at_ = w.row(walk.row()) + walk.c * kSize;
    stride_ = w.cols * kSize;
    // Past the row's end comes the panel after this one.
    ahead_ = ahead + (walk.c * kSize + ahead < stride_ ? 0 : (walk.panel_rows - 1) * stride_);
    if (walk.width() == kScaleBlock && walk.count() == kStrip)
      left_ = kStrip;
    else
      ragged(walk, at_, to_);
  }
  // The next n rows; n divides the strip.
  template <int n>
  [[gnu::always_inline]] void rows() {
    if (left_ == 0) return;
    left_ -= n;
#pragma GCC unroll 4
    for (int i = 0; i < n; ++i, at_ += stride_, to_ += 64) row();
  }
  [[gnu::always_inline]] void rest() {
    while (left_ > 0) rows<1>();
  }

 private:
  [[gnu::always_inline]] void row() {
#pragma GCC unroll 4
    for (int64_t line = 0; line < kBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(at_ + ahead_ + line), _MM_HINT_T1);
    if constexpr (D == DType::e4m3) {
      decode_e4m3_lines(_mm512_loadu_si512(at_), to_, to_ + 2 * kTileBytes);
      decode_e4m3_lines(_mm512_loadu_si512(at_ + 64), to_ + 4 * kTileBytes, to_ + 6 * kTileBytes);
    } else {
#pragma GCC unroll 4
      for (int64_t s = 0; s < kBlockSteps; ++s)
        _mm512_store_si512(to_ + 2 * s * kTileBytes, _mm512_loadu_si512(at_ + 64 * s));
    }
  }
  // Static, so that a decoder has no address and its members stay in registers.
  [[gnu::noinline]] static void ragged(const StripWalk& walk, const std::byte* at, std::byte* to) {
    const int64_t stride = walk.planned->task->w.cols * kSize;
    for (int64_t r = 0; r < kStrip; ++r)
      r < walk.count() ? convert_row<D>(at + r * stride, 0, walk.width(), to, r)
                       : clear_row(steps_of<D>(walk.width()), to, r);
  }

  const std::byte* at_ = nullptr;
  std::byte* to_;
  int64_t left_ = 0, stride_ = 0, ahead_ = 0;
};

// One step against one group of rows of x, and part of the decoding after each product.
template <int kShare, DType D, class T>
[[gnu::always_inline]] inline void strip_step(T& t, const std::byte* strip, const std::byte* b,
                                              StripDecoder<D>& next) {
  t.template load<6>(b, 64);
  t.template load<4>(strip, 64);
  t.template multiply<0, 4, 6>();
  t.template release<4>();
  next.template rows<kShare>();
  t.template load<5>(strip + kTileBytes, 64);
  t.template multiply<1, 5, 6>();
  t.template release<5>();
  t.template release<6>();
  next.template rows<kShare>();
}

// The walk's strip and columns against its groups of x, while `next` is decoded, kShare rows after each
// product.
template <int kShare, DType D, class T>
[[gnu::always_inline]] inline void strip_groups(T& t, const StripWalk& at, const std::byte* strip,
                                                StripDecoder<D>& next, StripScratch& s) {
  constexpr bool kManyGroups = kShare == 1;
  const PlannedTask& p = *at.planned;
  float* sums = s.sums + at.strip * kBlockGroups * kStripSums;
  const std::byte* b = p.packed + at.group * p.copy_bytes + at.c / 32 * kTileBytes;
  StripScales scales;
  if constexpr (D == DType::e4m3) scales = StripScales(p.task->w, at.row(), at.count(), at.c);
  const int64_t steps = steps_of<D>(at.width());
  const bool first = at.c == 0;
  for (int64_t g = at.groups(); g > 0; --g, b += p.copy_bytes, sums += kStripSums) {
    if (D == DType::e4m3 || first)
      clear_sums<1>(t);
    else
      load_sums(t, sums);
    if (steps == kBlockSteps) {
#pragma GCC unroll 4
      for (int64_t i = 0; i < kBlockSteps; ++i) {
        if constexpr (kManyGroups) prefetch_tile(b + p.copy_bytes + i * kTileBytes);
        strip_step<kShare>(t, strip + 2 * i * kTileBytes, b + i * kTileBytes, next);
      }
    } else {
      for (int64_t i = 0; i < steps; ++i)
        strip_step<kShare>(t, strip + 2 * i * kTileBytes, b + i * kTileBytes, next);
    }
    store_sums<1>(t, D == DType::e4m3 ? s.block : sums);
    if constexpr (D == DType::e4m3) add_scaled<1>(s.block, scales, first, sums);
  }
  next.rest();
}

// The sums of the panel that the walk is about to leave; a row's columns together, for the sake of pages.
inline void write_panel(StripWalk at, Write write, const float* sums) {
  for (int64_t g = 0; g < at.groups(); ++g)
    for (at.strip = 0; at.strip < at.strips(); ++at.strip)
      write_strip(*at.planned, write, at.group + g, at.row(), at.count(),
                  sums + (at.strip * kBlockGroups + g) * kStripSums);
}

template <DType D, class T>
void strips_outputs(T& t, const OutputRange& range, Write write, StripScratch& s) {
  const int64_t rows = range.planned->task->y.rows;
  StripWalk at{range.planned, range.end, panel_strips(rows) * kStrip, range.begin};
  StripDecoder<D> first(s.strip[0]);
  first.begin(at);
  first.rest();
  for (int64_t buffer = 0; !at.done(); buffer ^= 1) {
    StripWalk after = at;
    after.advance();
    StripDecoder<D> next(s.strip[buffer ^ 1]);
    if (!after.done()) next.begin(after);
    // Eight products a group: the next strip is decoded by the time that the last group ends.
    const int64_t groups = at.groups();
    if (groups == 1)
      strip_groups<4>(t, at, s.strip[buffer], next, s);
    else if (groups <= 3)
      strip_groups<2>(t, at, s.strip[buffer], next, s);
    else
      strip_groups<1>(t, at, s.strip[buffer], next, s);
    if (at.last_columns() && at.strip + 1 == at.strips()) write_panel(at, write, s.sums);
    at = after;
  }
}

}  // namespace fathom::kernels::cpu
