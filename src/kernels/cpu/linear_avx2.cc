// linear() for Isa::avx2.
#include "kernels/cpu/intrinsics.h"

#include "kernels/cpu/arms.h"
#include "kernels/cpu/dot_tile.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/linear_body.h"
#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/read_ahead.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/scale_row.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/cpu/simd_math.h"

namespace fathom::kernels::cpu::avx2 {

void linear(const Context& ctx, const Linear& op) { linear_all<Avx2>(ctx, op); }

}  // namespace fathom::kernels::cpu::avx2
