#include "kernels/moe.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void moe_group(const Context& ctx, const MoeGroup& op) {
  const int64_t pairs = op.index.rows * op.index.cols;
  FATHOM_CHECK(static_cast<int64_t>(op.row.size()) == pairs && !op.offset.empty());
  FATHOM_CHECK(op.slot.rows == op.index.rows && op.slot.cols == op.index.cols);
  if (ctx.backend == Backend::ref) return ref::moe_group(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::moe_group(ctx, op);
  }
  cpu::moe_group(ctx, op);
}

void moe_combine(const Context& ctx, const MoeCombine& op) {
  const int64_t rows = op.y.rows;
  FATHOM_CHECK(op.shared.rows == rows && op.shared.cols == op.y.cols && op.routed.cols == op.y.cols);
  FATHOM_CHECK(op.slot.rows == rows && op.weight.rows == rows && op.slot.cols == op.weight.cols);
  FATHOM_CHECK(op.routed.rows == rows * op.slot.cols);
  if (ctx.backend == Backend::ref) return ref::moe_combine(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::moe_combine(ctx, op);
  }
  cpu::moe_combine(ctx, op);
}

}  // namespace fathom::kernels
