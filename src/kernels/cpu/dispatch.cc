// Chooses the arm for the context's instruction set.
#include "kernels/cpu/arms.h"

namespace fathom::kernels::cpu {
namespace {

bool wide(const Context& ctx) { return ctx.isa != Isa::avx2; }

}  // namespace

void act_quant(const Context& ctx, const ActQuant& op) {
  wide(ctx) ? avx512::act_quant(ctx, op) : avx2::act_quant(ctx, op);
}
void embedding(const Context& ctx, const Embedding& op) {
  wide(ctx) ? avx512::embedding(ctx, op) : avx2::embedding(ctx, op);
}
void latent_store(const Context& ctx, const LatentStore& op) {
  wide(ctx) ? avx512::latent_store(ctx, op) : avx2::latent_store(ctx, op);
}
void linear(const Context& ctx, const Linear& op) {
  if (ctx.isa == Isa::amx) return amx::linear(ctx, op);
  wide(ctx) ? avx512::linear(ctx, op) : avx2::linear(ctx, op);
}
void mla_attention(const Context& ctx, const MlaAttention& op) {
  if (ctx.isa == Isa::amx) return amx::mla_attention(ctx, op);
  wide(ctx) ? avx512::mla_attention(ctx, op) : avx2::mla_attention(ctx, op);
}
void moe_combine(const Context& ctx, const MoeCombine& op) {
  wide(ctx) ? avx512::moe_combine(ctx, op) : avx2::moe_combine(ctx, op);
}
void rms_norm(const Context& ctx, const RmsNorm& op) {
  wide(ctx) ? avx512::rms_norm(ctx, op) : avx2::rms_norm(ctx, op);
}
void rope(const Context& ctx, const Rope& op) { wide(ctx) ? avx512::rope(ctx, op) : avx2::rope(ctx, op); }
void router(const Context& ctx, const Router& op) {
  wide(ctx) ? avx512::router(ctx, op) : avx2::router(ctx, op);
}
void swiglu(const Context& ctx, const Swiglu& op) {
  wide(ctx) ? avx512::swiglu(ctx, op) : avx2::swiglu(ctx, op);
}

}  // namespace fathom::kernels::cpu
