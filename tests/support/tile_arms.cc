#include "tests/support/tile_arms.h"

#include "kernels/cpu/arms.h"
#include "kernels/cpu/attention_plan.h"
#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/intrinsics.h"
#include "kernels/cpu/linear_parts.h"
#include "kernels/cpu/read_ahead.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/scale_row.h"
#include "tests/support/model_tiles.h"

#include "kernels/cpu/target_avx512_begin.h"

#include "kernels/cpu/attention_tiles.h"
#include "kernels/cpu/linear_tiles_all.h"

namespace fathom::test {
namespace {

void linear_on_model_tiles(const Context& ctx, const kernels::Linear& op) {
  if (op.operands == kernels::Operands::f32) return kernels::cpu::avx512::linear(ctx, op);
  kernels::cpu::linear_on_tiles<ModelTiles>(ctx, op);
}

void attention_on_model_tiles(const Context& ctx, const kernels::MlaAttention& op) {
  using namespace kernels::cpu;
  attend_all<Avx512, TileAttention<ModelTiles>>(ctx, op);
}

}  // namespace
}  // namespace fathom::test

#include "kernels/cpu/target_end.h"

namespace fathom::test {
namespace {

template <class Op>
std::vector<Arm<Op>> arms(ThreadPool& pool, void (*run)(const Context&, const Op&),
                          void (*modelled)(const Context&, const Op&)) {
  std::vector<Arm<Op>> all;
  for (const Context& ctx : cpu_contexts(pool)) all.push_back({ctx, name_of(ctx), run});
  if (available(Isa::avx512))
    all.push_back({{Backend::cpu, Mode::fast, Isa::avx512, &pool}, "modelled tiles", modelled});
  return all;
}

}  // namespace

std::vector<LinearArm> linear_arms(ThreadPool& pool) {
  return arms(pool, kernels::linear, linear_on_model_tiles);
}
std::vector<AttentionArm> attention_arms(ThreadPool& pool) {
  return arms(pool, kernels::mla_attention, attention_on_model_tiles);
}

}  // namespace fathom::test
