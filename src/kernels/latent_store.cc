#include "kernels/latent_store.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void latent_store(const Context& ctx, const LatentStore& op) {
  FATHOM_CHECK(op.latent.rows == op.rows.rows && op.rope.rows == op.rows.rows);
  FATHOM_CHECK(op.latent.cols == op.cache.latent && op.rope.cols == op.cache.rope);
  FATHOM_CHECK(op.cache.dtype == DType::f32 || op.cache.dtype == DType::bf16);
  if (ctx.backend == Backend::ref) return ref::latent_store(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::latent_store(ctx, op);
  }
  cpu::latent_store(ctx, op);
}

}  // namespace fathom::kernels
