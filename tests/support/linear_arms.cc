#include "tests/support/linear_arms.h"

#include "kernels/cpu/arms.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/intrinsics.h"
#include "kernels/cpu/linear_parts.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/scale_row.h"
#include "tests/support/model_tiles.h"

#include "kernels/cpu/target_avx512_begin.h"

#include "kernels/cpu/linear_tiles_all.h"

namespace fathom::test {

void linear_on_model_tiles(const Context& ctx, const kernels::Linear& op) {
  if (op.operands == kernels::Operands::f32) return kernels::cpu::avx512::linear(ctx, op);
  kernels::cpu::linear_on_tiles<ModelTiles>(ctx, op);
}

}  // namespace fathom::test

#include "kernels/cpu/target_end.h"

namespace fathom::test {

std::vector<LinearArm> linear_arms(ThreadPool& pool) {
  std::vector<LinearArm> arms;
  for (const Context& ctx : cpu_contexts(pool)) arms.push_back({ctx, name_of(ctx), kernels::linear});
  if (available(Isa::avx512))
    arms.push_back({{Backend::cpu, Mode::fast, Isa::avx512, &pool}, "modelled tiles", linear_on_model_tiles});
  return arms;
}

}  // namespace fathom::test
