// mla_attention() for Isa::avx512.
#include "kernels/cpu/intrinsics.h"

#include "kernels/cpu/arms.h"
#include "kernels/cpu/attention_plan.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/scale_row.h"

#include "kernels/cpu/target_avx512_begin.h"

#include "kernels/cpu/attention_body.h"
#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/simd_avx512.h"
#include "kernels/cpu/simd_math.h"

namespace fathom::kernels::cpu::avx512 {

void mla_attention(const Context& ctx, const MlaAttention& op) {
  if (op.cache.dtype == DType::bf16) return attend_all<Avx512, VectorAttention<Avx512, DType::bf16>>(ctx, op);
  attend_all<Avx512, VectorAttention<Avx512, DType::f32>>(ctx, op);
}

}  // namespace fathom::kernels::cpu::avx512

#include "kernels/cpu/target_end.h"
