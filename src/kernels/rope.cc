#include "kernels/rope.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void rope_angles(const Context& ctx, const RopeAngles& op) {
  const int64_t half = static_cast<int64_t>(op.frequencies.size());
  const int64_t rows = static_cast<int64_t>(op.positions.size());
  FATHOM_CHECK(op.cos.rows == rows && op.sin.rows == rows && op.cos.cols == half && op.sin.cols == half);
  if (ctx.backend == Backend::ref) return ref::rope_angles(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::rope_angles(ctx, op);
  }
  cpu::rope_angles(ctx, op);
}

void rope(const Context& ctx, const Rope& op) {
  FATHOM_CHECK(op.x.rows == op.cos.rows && op.x.rows == op.sin.rows);
  FATHOM_CHECK(op.x.dim == 2 * op.cos.cols && op.x.dim == 2 * op.sin.cols);
  if (ctx.backend == Backend::ref) return ref::rope(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::rope(ctx, op);
  }
  cpu::rope(ctx, op);
}

}  // namespace fathom::kernels
