// x w^T for many rows of x: a panel of w is decoded once into floats and serves all of them.
#pragma once

#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/read_ahead.h"

namespace fathom::kernels::cpu {

// The panel (rows of w by columns) stays in the first-level cache with a tile of x, a block of rows of x in
// the second.
inline constexpr int64_t kPanelRows = 8, kPanelColumns = 512, kPanelStride = kPanelColumns + 16,
                         kBlockRows = 96;

template <class S>
struct PanelScratch {
  float *panel, *sums;
  static constexpr int64_t kFloats = kPanelRows * kPanelStride + kBlockRows * kPanelRows * S::kLanes;
  explicit PanelScratch(std::byte* memory)
      : panel(reinterpret_cast<float*>(memory)), sums(panel + kPanelRows * kPanelStride) {}
};

// What a step along K works on: columns [k, k + width) of w, and rows of y by columns [n, n + outputs).
struct PanelStep {
  const PlannedTask* planned;
  int64_t k, width, n, outputs;
  bool first, last;
  Write write;
  int64_t ahead;  // lines to read ahead for each row of x and four of w
};

template <class S, int MR>
void panel_tile(const PanelStep& s, ReadAhead& next, const float* panel, float* sums, int64_t m) {
  const float* x[MR];
  for (int i = 0; i < MR; ++i) x[i] = s.planned->row(m + i) + s.k;
  for (int64_t n = 0; n < s.outputs; n += 4, sums += MR * 4 * S::kLanes) {
    next.ask(s.ahead * MR);
    DotTile<S, MR> tile;
    if (s.first)
      tile.clear();
    else
      tile.load(sums);
    dot_decoded<S, MR>(x, panel + n * kPanelStride, kPanelStride, s.width, tile);
    if (!s.last) {
      tile.store(sums);
      continue;
    }
    const int64_t count = s.outputs - n < 4 ? s.outputs - n : 4;
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i)
      write_four(s.planned->task->y.row(m + i) + s.n + n, tile.totals(i), count, s.write);
  }
}

template <class S, int MR>
void panel_rest(const PanelStep& s, ReadAhead& next, const float* panel, float* sums, int64_t m,
                int64_t rows) {
  if constexpr (MR > 0) {
    if (rows == MR) return panel_tile<S, MR>(s, next, panel, sums, m);
    panel_rest<S, MR - 1>(s, next, panel, sums, m, rows);
  }
}

template <class S>
void panel_rows(const PanelStep& s, ReadAhead next, const PanelScratch<S>& scratch, int64_t begin,
                int64_t end) {
  const int64_t per_row = (s.outputs + 3) / 4 * 4 * S::kLanes;
  float* sums = scratch.sums;
  int64_t m = begin;
  for (; m + S::kTileRows <= end; m += S::kTileRows, sums += S::kTileRows * per_row)
    panel_tile<S, S::kTileRows>(s, next, scratch.panel, sums, m);
  panel_rest<S, S::kTileRows - 1>(s, next, scratch.panel, sums, m, end - m);
}

template <class S, DType D>
void decode_panel(const Weight& w, int64_t row, int64_t rows, int64_t column, int64_t columns, float* panel) {
  for (int64_t r = 0; r < (rows + 3) / 4 * 4; ++r) {
    float* out = panel + r * kPanelStride;
    const int64_t from = r < rows ? row + r : row;  // rows that are not there repeat the first
    const std::byte* scales = scale_row(w, from);
    if (scales != nullptr) scales += static_cast<size_t>(column / kScaleBlock) * sizeof(float);
    dequantize<S, D>(w.row(from) + static_cast<size_t>(column) * size_of(D), scales, columns, out);
    if (columns % S::kLanes != 0)
      for (int64_t c = columns; c % S::kLanes != 0; ++c) out[c] = 0;
  }
}

template <class S, DType D>
void panel_outputs(const Context& ctx, int thread, const OutputRange& range, Write write) {
  const PlannedTask& p = *range.planned;
  const Weight& w = p.task->w;
  const PanelScratch<S> scratch(
      ctx.pool->scratch(thread, static_cast<size_t>(PanelScratch<S>::kFloats) * sizeof(float)));
  for (int64_t m = 0; m < p.task->y.rows; m += kBlockRows) {
    const int64_t end = p.task->y.rows < m + kBlockRows ? p.task->y.rows : m + kBlockRows;
    for (int64_t n = range.begin; n < range.end; n += kPanelRows) {
      const int64_t outputs = range.end - n < kPanelRows ? range.end - n : kPanelRows;
      for (int64_t k = 0; k < w.cols; k += kPanelColumns) {
        const int64_t width = w.cols - k < kPanelColumns ? w.cols - k : kPanelColumns;
        decode_panel<S, D>(w, n, outputs, k, width, scratch.panel);
        const ReadAhead next = after_panel(w, n, outputs, k, width, range.end, kPanelRows, kPanelColumns);
        const int64_t ahead = next.lines() / ((end - m) * ((outputs + 3) / 4)) + 1;
        panel_rows<S>({&p, k, width, n, outputs, k == 0, k + width == w.cols, write, ahead}, next, scratch, m,
                      end);
      }
    }
  }
}

}  // namespace fathom::kernels::cpu
