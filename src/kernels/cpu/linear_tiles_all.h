// linear() with its products on matrix tiles T, for fast mode.
#pragma once

#include "kernels/cpu/linear_parts.h"
#include "kernels/cpu/linear_tiles_in_place.h"
#include "kernels/cpu/linear_tiles_nn.h"
#include "kernels/cpu/linear_tiles_strips.h"
#include "kernels/cpu/row_chunks.h"

namespace fathom::kernels::cpu {

template <DType D, class T>
void tile_chunk(const Context& ctx, int thread, const OutputRange& range, const Linear& op) {
  const Write write = op.write;
  T tiles;
  if (op.form == Form::nn) {
    require_finite_scales(range.planned->task->w, 0, range.planned->task->w.rows);
    auto* scratch =
        reinterpret_cast<NnScratch*>(ctx.pool->scratch(thread, NnScratch::bytes(range.planned->steps)));
    return nn_outputs<D>(tiles, range, write, *scratch);
  }
  require_finite_scales(range.planned->task->w, range.begin, range.end - range.begin);
  auto* scratch = reinterpret_cast<StripScratch*>(ctx.pool->scratch(thread, sizeof(StripScratch)));
  if constexpr (D == DType::bf16) {
    if (range.planned->task->y.rows <= kFewRows) return in_place_outputs(tiles, range, write, *scratch);
  }
  strips_outputs<D>(tiles, range, write, *scratch);
}

inline void make_copy(const CopyUnit& unit, Form form) {
  const PlannedTask& p = *unit.planned;
  if (p.entry != Entry::tiles) return avx512::linear_copy(unit);
  if (form == Form::nn) return pack_rows_nn(p, unit.index, p.packed + unit.index * p.copy_bytes);
  const int64_t segments = (p.steps + kSegmentSteps - 1) / kSegmentSteps, g = unit.index / segments;
  const int64_t first = unit.index % segments * kSegmentSteps;
  const int64_t last = p.steps < first + kSegmentSteps ? p.steps : first + kSegmentSteps;
  pack_rows(p, g, first, last, p.task->w.dtype == DType::e4m3, p.packed + g * p.copy_bytes);
}

template <class T>
void linear_on_tiles(const Context& ctx, const Linear& op) {
  const LinearPlan plan(ctx, op, true, true);
  for_rows(ctx, plan.copy_units(), 4 * 32 * kSegmentSteps,
           [&](int64_t i, int) { make_copy(plan.copy(i), op.form); });
  ctx.pool->run(plan.chunks(), [&](int64_t chunk, int thread) {
    const OutputRange range = plan.outputs(chunk);
    if (range.planned->entry != Entry::tiles) return avx512::linear_chunk(ctx, thread, range, op);
    if (range.planned->task->w.dtype == DType::e4m3)
      return tile_chunk<DType::e4m3, T>(ctx, thread, range, op);
    tile_chunk<DType::bf16, T>(ctx, thread, range, op);
  });
}

}  // namespace fathom::kernels::cpu
