// Row-wise operations for Isa::avx2.
#include "kernels/cpu/intrinsics.h"

#include "kernels/cpu/arms.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/router_select.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/row_ops.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/scale_row.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/cpu/simd_math.h"

namespace fathom::kernels::cpu::avx2 {

void act_quant(const Context& ctx, const ActQuant& op) { act_quant_all<Avx2>(ctx, op); }
void embedding(const Context& ctx, const Embedding& op) { embedding_all<Avx2>(ctx, op); }
void latent_store(const Context& ctx, const LatentStore& op) { latent_store_all<Avx2>(ctx, op); }
void moe_combine(const Context& ctx, const MoeCombine& op) { moe_combine_all<Avx2>(ctx, op); }
void rms_norm(const Context& ctx, const RmsNorm& op) { rms_norm_all<Avx2>(ctx, op); }
void rope(const Context& ctx, const Rope& op) { rope_all<Avx2>(ctx, op); }
void router(const Context& ctx, const Router& op) { router_all<Avx2>(ctx, op); }
void swiglu(const Context& ctx, const Swiglu& op) { swiglu_all<Avx2>(ctx, op); }

}  // namespace fathom::kernels::cpu::avx2
