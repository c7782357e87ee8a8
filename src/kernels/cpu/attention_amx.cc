// mla_attention() for Isa::amx: tiles in fast mode, AVX-512 in faithful mode.
#include "kernels/cpu/arms.h"
#include "kernels/cpu/attention_plan.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/intrinsics.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/read_ahead.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/scale_row.h"
#include "kernels/cpu/tiles.h"

#include "kernels/cpu/target_avx512_begin.h"

#include "kernels/cpu/attention_tiles.h"

namespace fathom::kernels::cpu::amx {

void mla_attention(const Context& ctx, const MlaAttention& op) {
  if (ctx.mode != Mode::fast) return avx512::mla_attention(ctx, op);
  attend_all<Avx512, TileAttention<HardwareTiles>>(ctx, op);
}

}  // namespace fathom::kernels::cpu::amx

#include "kernels/cpu/target_end.h"
