#include "kernels/mla_attention.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void mla_attention(const Context& ctx, const MlaAttention& op) {
  const int64_t rows = op.rows.rows, heads = op.q_latent.heads;
  FATHOM_CHECK(op.q_latent.rows == rows && op.q_rope.rows == rows && op.out.rows == rows);
  FATHOM_CHECK(op.q_rope.heads == heads && op.out.heads == heads);
  FATHOM_CHECK(op.q_latent.dim == op.cache.latent && op.out.dim == op.cache.latent && op.q_rope.dim == op.cache.rope);
  FATHOM_CHECK(op.cache.dtype == (ctx.mode == Mode::fast ? DType::bf16 : DType::f32));
  if (ctx.backend == Backend::ref) return ref::mla_attention(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::mla_attention(ctx, op);
  }
  cpu::mla_attention(ctx, op);
}

}  // namespace fathom::kernels
