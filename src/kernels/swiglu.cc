#include "kernels/swiglu.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void swiglu(const Context& ctx, const Swiglu& op) {
  FATHOM_CHECK(op.gate.rows == op.y.rows && op.up.rows == op.y.rows);
  FATHOM_CHECK(op.gate.cols == op.y.cols && op.up.cols == op.y.cols);
  if (ctx.backend == Backend::ref) return ref::swiglu(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::swiglu(ctx, op);
  }
  cpu::swiglu(ctx, op);
}

}  // namespace fathom::kernels
