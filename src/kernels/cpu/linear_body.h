// linear() in FP32 arithmetic, as templates over the vector type S.
#pragma once

#include <algorithm>

#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/linear_nn.h"
#include "kernels/cpu/linear_panel.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/ordered_rows.h"
#include "kernels/cpu/row_chunks.h"

namespace fathom::kernels::cpu {

// MR rows of y, four of its columns: rows `at` of the streams of w.
template <class S, DType D, int MR>
void direct_tile(const PlannedTask& p, const RowsOfX& from, Write write, int64_t m,
                 const FourStreams& streams, int64_t at) {
  const Weight& w = p.task->w;
  const float* x[MR];
  FourRows rows;
  for (int i = 0; i < MR; ++i) x[i] = from.row(m + i);
  for (int j = 0; j < 4; ++j) {
    const int64_t r = streams.at(at, j);
    rows.row[j] = w.row(r);
  }
  DotTile<S, MR> tile;
  tile.clear();
  dot_stored<S, D, MR>(x, rows, w.cols, tile);
  for (int i = 0; i < MR; ++i) streams.write(p.task->y.row(m + i), at, tile.totals(i, kDotUnit<S, D>), write);
}

template <class S, DType D, int MR>
void direct_rest(const PlannedTask& p, const RowsOfX& from, Write write, int64_t m, int64_t rows,
                 const FourStreams& streams, int64_t at) {
  if constexpr (MR > 0) {
    if (rows == MR) return direct_tile<S, D, MR>(p, from, write, m, streams, at);
    direct_rest<S, D, MR - 1>(p, from, write, m, rows, streams, at);
  }
}

template <class S, DType D>
void direct_outputs(const PlannedTask& p, const RowsOfX& from, Write write, const FourStreams& streams,
                    int64_t at) {
  int64_t m = 0;
  for (; m + S::kDirectTile <= p.task->y.rows; m += S::kDirectTile)
    direct_tile<S, D, S::kDirectTile>(p, from, write, m, streams, at);
  direct_rest<S, D, S::kDirectTile - 1>(p, from, write, m, p.task->y.rows - m, streams, at);
}

template <class S, DType D>
void linear_nt_chunk(const Context& ctx, int thread, const OutputRange& range, Write write) {
  const PlannedTask& p = *range.planned;
  const int64_t m = p.task->y.rows;
  require_finite_scales(p.task->w, range.begin, range.end - range.begin);
  if (m > direct_rows(D)) return panel_outputs<S, D>(ctx, thread, range, write);
  RowsOfX from = rows_of(p);
  for (int64_t n = range.begin, last = n; n < range.end; n = last) {
    last = std::min(range.end, n + scale_run(p.task->w, n));
    if constexpr (D == DType::e4m3) {
      const auto bytes = static_cast<size_t>(scaled_floats(p, m)) * sizeof(float);
      from = scale_rows<S>(p, 0, m, n, reinterpret_cast<float*>(ctx.pool->scratch(thread, bytes)));
    }
    const FourStreams streams(n, last);
    for (int64_t at = 0; at < streams.length; ++at) direct_outputs<S, D>(p, from, write, streams, at);
  }
}

template <class S, DType D>
void linear_chunk(const Context& ctx, int thread, const OutputRange& range, const Linear& op) {
  op.form == Form::nt ? linear_nt_chunk<S, D>(ctx, thread, range, op.write)
                      : linear_nn_chunk<S, D>(ctx, thread, range, op.write);
}

template <class S>
void linear_any(const Context& ctx, int thread, const OutputRange& range, const Linear& op) {
  switch (range.planned->task->w.dtype) {
    case DType::f32:
      return linear_chunk<S, DType::f32>(ctx, thread, range, op);
    case DType::bf16:
      return linear_chunk<S, DType::bf16>(ctx, thread, range, op);
    case DType::f16:
      return linear_chunk<S, DType::f16>(ctx, thread, range, op);
    case DType::e4m3:
      return linear_chunk<S, DType::e4m3>(ctx, thread, range, op);
    default:
      FATHOM_CHECK(false);
  }
}

// One row of a copy.
template <class S>
void copy_row(const CopyUnit& unit) {
  const PlannedTask& p = *unit.planned;
  const float* x = p.task->x.row(unit.index);
  float* out = reinterpret_cast<float*>(p.packed + unit.index * p.copy_bytes);
  if (p.entry == Entry::ordered)
    order_row<S>(x, p.task->x.cols, p.round, out);
  else
    round_bf16_row<S>(x, out, p.task->x.cols);
}

template <class S>
void linear_all(const Context& ctx, const Linear& op) {
  const LinearPlan plan(ctx, op, ctx.mode == Mode::fast && op.operands == Operands::by_mode, false);
  const int64_t cost = plan.copy_units() > 0 ? plan.copy(0).planned->task->x.cols : 0;
  for_rows(ctx, plan.copy_units(), cost, [&](int64_t i, int) { copy_row<S>(plan.copy(i)); });
  ctx.pool->run(plan.chunks(),
                [&](int64_t chunk, int thread) { linear_any<S>(ctx, thread, plan.outputs(chunk), op); });
}

}  // namespace fathom::kernels::cpu
