// linear() in FP32 arithmetic, as templates over the vector type S.
#pragma once

#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/row_chunks.h"

namespace fathom::kernels::cpu {

// Columns [n, n + NR) of y for rows [m, m + MR).
template <class S, DType D, int MR, int NR>
void linear_tile(const PlannedTask& p, Write write, const StoredRows& w, const std::byte* const* scale_rows,
                 int64_t m, int64_t n) {
  const float* x[MR];
  const std::byte* rows[NR];
  const std::byte* scales[NR];
  for (int i = 0; i < MR; ++i) x[i] = p.row(m + i);
  for (int j = 0; j < NR; ++j) {
    rows[j] = w.row(j);
    scales[j] = scale_rows[j];
  }
  float out[MR][NR];
  dot_tile<S, D, MR, NR>(x, rows, scales, p.task->x.cols, out);
  for (int i = 0; i < MR; ++i) {
    float* y = p.task->y.row(m + i) + n;
    for (int j = 0; j < NR; ++j) y[j] = write == Write::accumulate ? y[j] + out[i][j] : out[i][j];
  }
}

// All rows of y against NR rows of w.
template <class S, DType D, int NR>
void linear_rows(const PlannedTask& p, Write write, const StoredRows& w, const std::byte* const* scale_rows,
                 int64_t n) {
  const int64_t rows = p.task->y.rows;
  int64_t m = 0;
  for (; m + 4 <= rows; m += 4) linear_tile<S, D, 4, NR>(p, write, w, scale_rows, m, n);
  for (; m < rows; ++m) linear_tile<S, D, 1, NR>(p, write, w, scale_rows, m, n);
}

template <class S, DType D, int NR>
void linear_outputs(const Context& ctx, int thread, const PlannedTask& p, Write write, int64_t n) {
  constexpr int64_t kDirectRows = 4;  // more rows of x than this share one decoding of w
  const Weight& w = p.task->w;
  const std::byte* scale_rows[NR];
  for (int j = 0; j < NR; ++j) scale_rows[j] = scale_row(w, n + j);
  if (D == DType::f32 || p.task->y.rows <= kDirectRows) {
    const StoredRows stored{w.row(n), static_cast<size_t>(w.cols) * size_of(D)};
    return linear_rows<S, D, NR>(p, write, stored, scale_rows, n);
  }
  const size_t stride = (static_cast<size_t>(w.cols) + 15) / 16 * 16 * sizeof(float) + 64;
  std::byte* panel = ctx.pool->scratch(thread, NR * stride);
  for (int j = 0; j < NR; ++j)
    dequantize<S, D>(w.row(n + j), scale_rows[j], w.cols,
                     reinterpret_cast<float*>(panel + static_cast<size_t>(j) * stride));
  linear_rows<S, DType::f32, NR>(p, write, {panel, stride}, scale_rows, n);
}

template <class S, DType D>
void linear_nt_chunk(const Context& ctx, int thread, const OutputRange& range, Write write) {
  require_finite_scales(range.planned->task->w, range.begin, range.end - range.begin);
  int64_t n = range.begin;
  for (; n + 4 <= range.end; n += 4) linear_outputs<S, D, 4>(ctx, thread, *range.planned, write, n);
  for (; n < range.end; ++n) linear_outputs<S, D, 1>(ctx, thread, *range.planned, write, n);
}

template <class S, DType D, int MR>
void linear_nn_tile(const PlannedTask& p, Write write, int64_t m, int64_t column, int64_t count) {
  const Weight& w = p.task->w;
  const float* x[MR];
  for (int i = 0; i < MR; ++i) x[i] = p.row(m + i);
  typename S::F acc[MR][S::kStepVectors];
  const auto scales_of = [&w](int64_t k) { return scale_row(w, k); };
  const StoredRows stored{w.data, static_cast<size_t>(w.cols) * size_of(D)};
  axpy_tile<S, D, MR>(x, stored, scales_of, w.rows, column, count, acc);
  for (int i = 0; i < MR; ++i) {
    for (int v = 0; v < S::kStepVectors; ++v) {
      const int64_t left = count - v * S::kLanes;
      if (left > 0)
        write_vector<S>(p.task->y.row(m + i) + column + v * S::kLanes, acc[i][v],
                        left < S::kLanes ? left : S::kLanes, write);
    }
  }
}

template <class S, DType D>
void linear_nn_chunk(const Context&, int, const OutputRange& range, Write write) {
  const PlannedTask& p = *range.planned;
  require_finite_scales(p.task->w, 0, p.task->w.rows);
  for (int64_t c = range.begin; c < range.end; c += S::kStep) {
    const int64_t count = range.end - c < S::kStep ? range.end - c : S::kStep;
    int64_t m = 0;
    for (; m + 4 <= p.task->y.rows; m += 4) linear_nn_tile<S, D, 4>(p, write, m, c, count);
    for (; m < p.task->y.rows; ++m) linear_nn_tile<S, D, 1>(p, write, m, c, count);
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

template <class S>
void linear_all(const Context& ctx, const Linear& op) {
  constexpr int64_t kGrainOutputs = 64;  // whole vectors for the nn form
  const bool round = ctx.mode == Mode::fast && op.operands == Operands::by_mode;
  const LinearPlan plan(ctx, op, round, op.form == Form::nt ? 16 : kGrainOutputs);
  const int64_t cost = plan.copied_rows() > 0 ? plan.copy(0).count : 0;
  for_rows(ctx, plan.copied_rows(), cost, [&](int64_t i, int) {
    const LinearPlan::Copy c = plan.copy(i);
    round_bf16_row<S>(c.from, c.to, c.count);
  });
  ctx.pool->run(plan.chunks(),
                [&](int64_t chunk, int thread) { linear_any<S>(ctx, thread, plan.outputs(chunk), op); });
}

}  // namespace fathom::kernels::cpu
