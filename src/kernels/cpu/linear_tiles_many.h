// x w^T on tiles for many rows of x: a panel of w is decoded once into the second-level cache and meets all
// of them, while the next panel is asked of memory.
#pragma once

#include "kernels/cpu/linear_tiles.h"

namespace fathom::kernels::cpu {

inline constexpr int64_t kTilePanelRows = 128, kTilePanelColumns = 256, kTileBlockRows = 512;
inline constexpr int64_t kTilePanelSteps = kTilePanelColumns / 32;

struct alignas(64) ManyScratch {
  std::byte panel[kTilePanelRows / kStrip][kTilePanelSteps * 2 * kTileBytes];
  float block[2 * kStripSums];
  float sums[kTileBlockRows / 16 * kTilePanelRows * 16];  // [strip][group][32][16]
};

// One step along K: columns [c, c + width) of w's rows [n, n + outputs) against groups [first_group,
// first_group + groups).
struct ManyStep {
  const PlannedTask* planned;
  int64_t n, outputs, c, width, first_group, groups;
};

template <DType D, int kGroups, class T>
void many_rows_block(T& t, const ManyStep& s, int64_t strip, int64_t g, ManyScratch& scratch) {
  const Weight& w = s.planned->task->w;
  float* sums = scratch.sums + (strip * (kTileBlockRows / 16) + g) * kStripSums;
  const std::byte* b0 =
      s.planned->packed + (s.first_group + g) * s.planned->copy_bytes + s.c / 32 * kTileBytes;
  const std::byte* b1 = b0 + (kGroups - 1) * s.planned->copy_bytes;
  const StripTiles a = packed_tiles(scratch.panel[strip]);
  const int64_t steps = steps_of<D>(s.width);
  if constexpr (D == DType::e4m3) {
    const int64_t n = s.n + strip * kStrip,
                  count = s.outputs - strip * kStrip < kStrip ? s.outputs - strip * kStrip : kStrip;
    for (int64_t i = 0; i < steps; i += kBlockSteps) {
      clear_sums<kGroups>(t);
      for (int64_t j = i; j < i + kBlockSteps && j < steps; ++j) multiply_step<kGroups>(t, a, j, b0, b1);
      store_sums<kGroups>(t, scratch.block);
      add_scaled<kGroups>(scratch.block, StripScales(w, n, count, s.c + i * 32), s.c + i == 0, sums);
    }
  } else {
    if (s.c == 0)
      clear_sums<kGroups>(t);
    else
      load_sums<kGroups>(t, sums);
    for (int64_t i = 0; i < steps; ++i) multiply_step<kGroups>(t, a, i, b0, b1);
    store_sums<kGroups>(t, sums);
  }
}

template <DType D, class T>
void many_rows_step(T& t, const ManyStep& s, ReadAhead next, ManyScratch& scratch) {
  const Weight& w = s.planned->task->w;
  const int64_t strips = (s.outputs + kStrip - 1) / kStrip, pairs = (s.groups + 1) / 2;
  for (int64_t r = 0; r < strips * kStrip; ++r) {
    std::byte* strip = scratch.panel[r / kStrip];
    if (r < s.outputs)
      convert_row<D>(w.row(s.n + r), s.c, s.width, strip, r % kStrip);
    else
      clear_row(steps_of<D>(s.width), strip, r % kStrip);
  }
  const int64_t share = next.lines() / (strips * pairs) + 1;
  for (int64_t g = 0; g < s.groups; g += 2) {
    for (int64_t strip = 0; strip < strips; ++strip) {
      next.ask(share);
      if (g + 1 < s.groups)
        many_rows_block<D, 2>(t, s, strip, g, scratch);
      else
        many_rows_block<D, 1>(t, s, strip, g, scratch);
    }
  }
}

template <DType D, class T>
void many_rows_outputs(T& t, const OutputRange& range, Write write, ManyScratch& scratch) {
  const PlannedTask& p = *range.planned;
  const Weight& w = p.task->w;
  const int64_t groups = (p.task->y.rows + 15) / 16;
  for (int64_t n = range.begin; n < range.end; n += kTilePanelRows) {
    const int64_t outputs = range.end - n < kTilePanelRows ? range.end - n : kTilePanelRows;
    for (int64_t g = 0; g < groups; g += kTileBlockRows / 16) {
      const int64_t count = groups - g < kTileBlockRows / 16 ? groups - g : kTileBlockRows / 16;
      for (int64_t c = 0; c < w.cols; c += kTilePanelColumns) {
        const int64_t width = w.cols - c < kTilePanelColumns ? w.cols - c : kTilePanelColumns;
        many_rows_step<D>(t, {&p, n, outputs, c, width, g, count},
                          after_panel(w, n, outputs, c, width, range.end, kTilePanelRows, kTilePanelColumns),
                          scratch);
      }
      for (int64_t i = 0; i < count; ++i)
        for (int64_t strip = 0; strip * kStrip < outputs; ++strip)
          write_strip(p, write, g + i, n + strip * kStrip,
                      outputs - strip * kStrip < kStrip ? outputs - strip * kStrip : kStrip,
                      scratch.sums + (strip * (kTileBlockRows / 16) + i) * kStripSums);
    }
  }
}

}  // namespace fathom::kernels::cpu
