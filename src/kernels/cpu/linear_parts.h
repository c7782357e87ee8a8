// Pieces of the AVX-512 arm of linear() that the AMX arm uses for what tiles do not do.
#pragma once

#include "kernels/cpu/linear_plan.h"

namespace fathom::kernels::cpu::avx512 {

// One chunk of a plan whose task enters as it is, rounded or ordered.
void linear_chunk(const Context& ctx, int thread, const OutputRange& range, const Linear& op);
// One unit of a copy of rows.
void linear_copy(const CopyUnit& unit);

}  // namespace fathom::kernels::cpu::avx512
