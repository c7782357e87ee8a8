#include "kernels/act_quant.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void act_quant(const Context& ctx, const ActQuant& op) {
  FATHOM_CHECK(op.x.rows == op.y.rows && op.x.cols == op.y.cols);
  if (ctx.backend == Backend::ref) return ref::act_quant(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::act_quant(ctx, op);
  }
  cpu::act_quant(ctx, op);
}

}  // namespace fathom::kernels
