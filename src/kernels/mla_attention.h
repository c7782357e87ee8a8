// Multi-head latent attention in its absorbed form: every head attends over the shared latent.
// Source: DeepSeek-V2 paper section 2.1; DeepSeek-V3 demo code, attn_impl "absorb".
#pragma once

#include "kernels/paged_latent.h"
#include "tensor/context.h"

namespace fathom::kernels {

// For row r, head h, keys j = 0 .. position[r] of its sequence (causal):
//   s_j = (q_latent . latent_j + q_rope . rope_j) * scale;  out = sum_j softmax(s)_j latent_j
// Softmax and sums in FP32. In fast mode q and the probabilities are rounded to BF16 where they enter a product.
// Batch invariance: keys are taken in an order that the position alone fixes.
struct MlaAttention {
  Heads<const float> q_latent;  // [T, heads, latent]: q_nope W_UK
  Heads<const float> q_rope;    // [T, heads, rope]: rotated
  RowMap rows;
  PagedLatent cache;            // holds the rows' own entries already
  float scale = 1;
  Heads<float> out;             // [T, heads, latent]
};
void mla_attention(const Context& ctx, const MlaAttention& op);

namespace ref { void mla_attention(const Context& ctx, const MlaAttention& op); }
namespace cpu { void mla_attention(const Context& ctx, const MlaAttention& op); }
namespace cuda { void mla_attention(const Context& ctx, const MlaAttention& op); }

}  // namespace fathom::kernels
