#include "kernels/rms_norm.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void rms_norm(const Context& ctx, const RmsNorm& op) {
  FATHOM_CHECK(op.x.rows == op.y.rows && op.x.cols == op.y.cols);
  FATHOM_CHECK(op.weight.rows == 1 && op.weight.cols == op.x.cols && op.weight.dtype != DType::e4m3);
  if (ctx.backend == Backend::ref) return ref::rms_norm(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::rms_norm(ctx, op);
  }
  cpu::rms_norm(ctx, op);
}

}  // namespace fathom::kernels
