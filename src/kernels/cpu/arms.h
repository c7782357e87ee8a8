// The arms of each operation, one per vector width: what the functions of namespace cpu choose from.
#pragma once

#include "kernels/act_quant.h"
#include "kernels/embedding.h"
#include "kernels/latent_store.h"
#include "kernels/linear.h"
#include "kernels/mla_attention.h"
#include "kernels/moe.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/router.h"
#include "kernels/swiglu.h"

namespace fathom::kernels::cpu {

namespace avx2 {
void act_quant(const Context& ctx, const ActQuant& op);
void embedding(const Context& ctx, const Embedding& op);
void latent_store(const Context& ctx, const LatentStore& op);
void linear(const Context& ctx, const Linear& op);
void mla_attention(const Context& ctx, const MlaAttention& op);
void moe_combine(const Context& ctx, const MoeCombine& op);
void rms_norm(const Context& ctx, const RmsNorm& op);
void rope(const Context& ctx, const Rope& op);
void router(const Context& ctx, const Router& op);
void swiglu(const Context& ctx, const Swiglu& op);
}  // namespace avx2

namespace avx512 {
void act_quant(const Context& ctx, const ActQuant& op);
void embedding(const Context& ctx, const Embedding& op);
void latent_store(const Context& ctx, const LatentStore& op);
void linear(const Context& ctx, const Linear& op);
void mla_attention(const Context& ctx, const MlaAttention& op);
void moe_combine(const Context& ctx, const MoeCombine& op);
void rms_norm(const Context& ctx, const RmsNorm& op);
void rope(const Context& ctx, const Rope& op);
void router(const Context& ctx, const Router& op);
void swiglu(const Context& ctx, const Swiglu& op);
}  // namespace avx512

// Only the products of fast mode know AMX; everything else runs in AVX-512 there too.
namespace amx {
void linear(const Context& ctx, const Linear& op);
void mla_attention(const Context& ctx, const MlaAttention& op);
}  // namespace amx

}  // namespace fathom::kernels::cpu
