// linear() for Isa::amx: tiles in fast mode; AVX-512 where operands are FP32.
#include "kernels/cpu/arms.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/intrinsics.h"
#include "kernels/cpu/linear_parts.h"
#include "kernels/cpu/read_ahead.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/scale_row.h"
#include "kernels/cpu/tiles.h"

#include "kernels/cpu/target_avx512_begin.h"

#include "kernels/cpu/linear_tiles_all.h"

namespace fathom::kernels::cpu::amx {

void linear(const Context& ctx, const Linear& op) {
  if (ctx.mode != Mode::fast || op.operands != Operands::by_mode) return avx512::linear(ctx, op);
  linear_on_tiles<HardwareTiles>(ctx, op);
}

}  // namespace fathom::kernels::cpu::amx

#include "kernels/cpu/target_end.h"
