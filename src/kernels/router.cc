#include "kernels/router.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void router(const Context& ctx, const Router& op) {
  const int64_t experts = op.logits.cols;
  FATHOM_CHECK(static_cast<int64_t>(op.bias.size()) == experts && op.groups > 0 && experts % op.groups == 0);
  FATHOM_CHECK(op.groups_kept > 0 && op.groups_kept <= op.groups);
  FATHOM_CHECK(op.index.cols == op.weight.cols && op.index.cols <= experts / op.groups * op.groups_kept);
  FATHOM_CHECK(op.index.rows == op.logits.rows && op.weight.rows == op.logits.rows);
  if (ctx.backend == Backend::ref) return ref::router(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::router(ctx, op);
  }
  cpu::router(ctx, op);
}

}  // namespace fathom::kernels
