// x w^T for many rows of x: a panel of w is decoded once into floats and serves all of them.
#pragma once

#include <algorithm>

#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/ordered_rows.h"
#include "kernels/cpu/read_ahead.h"

namespace fathom::kernels::cpu {

// The panel (rows of w by columns) stays in the first-level cache with a tile of x, a block of rows of x in
// the second.
inline constexpr int64_t kPanelRows = 8, kPanelColumns = 512, kPanelStride = kPanelColumns + 16,
                         kBlockRows = 96;

// Rows of a block: for FP8 it is copied, with the scales, whole rows at a time.
inline int64_t block_rows(const PlannedTask& p) {
  constexpr int64_t kCopyFloats = (3 << 20) / 8;
  if (p.entry != Entry::ordered) return kBlockRows;
  return std::clamp<int64_t>(kCopyFloats / p.x_stride / 6 * 6, 12, kBlockRows);
}

template <class S>
struct PanelScratch {
  float *panel, *sums, *scaled;
  static int64_t floats(const PlannedTask& p) {
    return kPanelRows * kPanelStride + kBlockRows * kPanelRows * S::kLanes +
           (p.entry == Entry::ordered ? scaled_floats(p, block_rows(p)) : 0);
  }
  explicit PanelScratch(std::byte* memory)
      : panel(reinterpret_cast<float*>(memory)),
        sums(panel + kPanelRows * kPanelStride),
        scaled(sums + kBlockRows * kPanelRows * S::kLanes) {}
};

// What a step along K works on: columns [k, k + width) of w, and rows of y by columns [n, n + outputs).
struct PanelStep {
  const PlannedTask* planned;
  RowsOfX x;  // row 0 is row `first_row` of y
  int64_t first_row, k, width, n, outputs;
  bool first, last;
  Write write;
  float unit;     // of the sums
  int64_t ahead;  // lines to read ahead for each row of x and four of w
};

template <class S, int MR>
void panel_tile(const PanelStep& s, ReadAhead& next, const float* panel, float* sums, int64_t m) {
  const float* x[MR];
  for (int i = 0; i < MR; ++i) x[i] = s.x.row(m - s.first_row + i) + s.k;
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
      write_four(s.planned->task->y.row(m + i) + s.n + n, tile.totals(i, s.unit), count, s.write);
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

// Rows [m, end) of y, columns [begin, last) of a range that ends at range_end.
struct PanelBlock {
  RowsOfX x;
  int64_t m, end, begin, last, range_end;
};

// `columns` of rows of w as floats, without scales, zero up to a whole vector (FP8: step). Returns how many
// floats.
template <class S, DType D>
int64_t decode_panel(const Weight& w, int64_t row, int64_t rows, int64_t column, int64_t columns,
                     float* panel) {
  constexpr int64_t kStep = kDotStep<S, D>;
  const int64_t unit = D == DType::e4m3 ? kStep : S::kLanes, width = (columns + unit - 1) / unit * unit;
  for (int64_t r = 0; r < (rows + 3) / 4 * 4; ++r) {
    float* out = panel + r * kPanelStride;
    const int64_t from = r < rows ? row + r : row;  // rows that are not there repeat the first
    const std::byte* at = w.row(from) + static_cast<size_t>(column) * size_of(D);
    typename S::F v[kDotVectors<S, D>];
    typename S::NanWatch watch;
    int64_t i = 0;
#pragma GCC unroll 2
    for (; i + kStep <= columns; i += kStep) {
      decode_for_dot<S, D>(at + static_cast<size_t>(i) * size_of(D), v, watch);
#pragma GCC unroll 4
      for (int j = 0; j < kDotVectors<S, D>; ++j) S::store(out + i + j * S::kLanes, v[j]);
    }
    if (i < columns) {
      decode_rest_for_dot<S, D>(at + static_cast<size_t>(i) * size_of(D), columns - i, v, watch);
      for (int j = 0; i + j * S::kLanes < width; ++j) S::store(out + i + j * S::kLanes, v[j]);
    }
    if (D == DType::e4m3 && watch.found()) std::fill(out, out + width, __builtin_nanf(""));
  }
  return D == DType::e4m3 ? width : columns;
}

// Rows [m, end) of y, columns [begin, last), by panels of w.
template <class S, DType D>
void panel_block(const PlannedTask& p, Write write, const PanelScratch<S>& scratch, const PanelBlock& b) {
  const Weight& w = p.task->w;
  for (int64_t n = b.begin; n < b.last; n += kPanelRows) {
    const int64_t outputs = b.last - n < kPanelRows ? b.last - n : kPanelRows;
    for (int64_t k = 0; k < w.cols; k += kPanelColumns) {
      const int64_t width = w.cols - k < kPanelColumns ? w.cols - k : kPanelColumns;
      const int64_t floats = decode_panel<S, D>(w, n, outputs, k, width, scratch.panel);
      const ReadAhead next = after_panel(w, n, outputs, k, width, b.range_end, kPanelRows, kPanelColumns);
      const int64_t ahead = next.lines() / ((b.end - b.m) * ((outputs + 3) / 4)) + 1;
      panel_rows<S>({&p, b.x, D == DType::e4m3 ? b.m : 0, k, floats, n, outputs, k == 0, k + width == w.cols,
                     write, kDotUnit<S, D>, ahead},
                    next, scratch, b.m, b.end);
    }
  }
}

template <class S, DType D>
void panel_outputs(const Context& ctx, int thread, const OutputRange& range, Write write) {
  const PlannedTask& p = *range.planned;
  const PanelScratch<S> scratch(
      ctx.pool->scratch(thread, static_cast<size_t>(PanelScratch<S>::floats(p)) * sizeof(float)));
  const int64_t block = block_rows(p);
  for (int64_t m = 0; m < p.task->y.rows; m += block) {
    const int64_t end = p.task->y.rows < m + block ? p.task->y.rows : m + block;
    if constexpr (D == DType::e4m3) {
      for (int64_t n = range.begin, last = n; n < range.end; n = last) {
        last = std::min(range.end, n + scale_run(p.task->w, n));
        const RowsOfX x = scale_rows<S>(p, m, end - m, n, scratch.scaled);
        panel_block<S, D>(p, write, scratch, {x, m, end, n, last, range.end});
      }
    } else {
      panel_block<S, D>(p, write, scratch, {rows_of(p), m, end, range.begin, range.end, range.end});
    }
  }
}

}  // namespace fathom::kernels::cpu
