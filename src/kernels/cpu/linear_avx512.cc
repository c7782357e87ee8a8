// linear() for Isa::avx512.
#include "kernels/cpu/intrinsics.h"

#include "kernels/cpu/arms.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/linear_parts.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/read_ahead.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/scale_row.h"

#include "kernels/cpu/target_avx512_begin.h"

#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/linear_body.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/simd_avx512.h"
#include "kernels/cpu/simd_math.h"

namespace fathom::kernels::cpu::avx512 {

void linear(const Context& ctx, const Linear& op) { linear_all<Avx512>(ctx, op); }

void linear_chunk(const Context& ctx, int thread, const OutputRange& range, const Linear& op) {
  linear_any<Avx512>(ctx, thread, range, op);
}

void linear_copy(const CopyUnit& unit) { copy_row<Avx512>(unit); }

}  // namespace fathom::kernels::cpu::avx512

#include "kernels/cpu/target_end.h"
