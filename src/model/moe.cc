#include "kernels/moe.h"

#include "kernels/linear.h"
#include "kernels/router.h"
#include "kernels/swiglu.h"
#include "model/layers.h"
#include "model/residency.h"

namespace fathom::model {
namespace {

// Chooses experts for every row and sorts the pairs by expert.
void route(const Pass& pass, const MoeParameters& p, std::span<const float> bias, Mat<const float> x) {
  const Config& c = pass.config;
  Workspace& ws = pass.ws;
  const Mat<float> logits = pass.active(ws.router_logits);
  const kernels::LinearTask gate[] = {{.x = x, .w = p.router, .y = logits}};
  kernels::linear(pass.ctx, {.tasks = gate, .operands = kernels::Operands::f32});
  kernels::router(pass.ctx, {.logits = logits,
                             .bias = bias,
                             .groups = c.n_group,
                             .groups_kept = c.topk_group,
                             .normalize = c.norm_topk_prob,
                             .scaling = static_cast<float>(c.routed_scaling_factor),
                             .index = pass.active(ws.index),
                             .weight = pass.active(ws.weight)});
  kernels::moe_group(pass.ctx, {.index = pass.active(ws.index),
                                .offset = ws.offset,
                                .row = std::span(ws.slot_row).first(static_cast<size_t>(pass.rows() * c.num_experts_per_tok)),
                                .slot = pass.active(ws.slot)});
}

// Calls visit(expert, first slot, slots) for every expert that some row chose.
template <class Visit>
void for_each_chosen(const Workspace& ws, const MoeParameters& p, Visit visit) {
  for (size_t e = 0; e < p.experts.size(); ++e)
    if (ws.offset[e + 1] > ws.offset[e]) visit(p.experts[e], ws.offset[e], ws.offset[e + 1] - ws.offset[e]);
}

// A model larger than memory: all chosen experts are asked of the disk before the first product waits for one.
void want_experts(const Pass& pass, const MoeParameters& p) {
  const Residency* residency = pass.options.residency;
  if (residency == nullptr || !residency->streams()) return;
  const auto& offset = pass.ws.offset;
  pass.ctx.pool->run(static_cast<int64_t>(p.experts.size()), [&](int64_t e, int) {
    const size_t i = static_cast<size_t>(e);
    if (offset[i + 1] > offset[i]) residency->want(p.experts[i]);
  });
}

}  // namespace

void moe(const Pass& pass, const MoeParameters& p, std::span<const float> bias, int64_t layer, Mat<const float> x,
         Mat<float> hidden) {
  Workspace& ws = pass.ws;
  route(pass, p, bias, x);
  if (pass.observer != nullptr)
    pass.observer->routed(layer, pass.active(ws.router_logits), pass.active(ws.index), pass.active(ws.weight));

  want_experts(pass, p);

  // The chosen experts and the shared one are one group of products: gate and up, then down.
  const int64_t slots = pass.rows() * pass.config.num_experts_per_tok;
  const Mat<const float> in = linear_input(pass, p.shared.gate, x, ws.quantized);
  const Mat<float> gate = ws.routed_gate.rows_from(0, slots), up = ws.routed_up.rows_from(0, slots);
  const Mat<float> shared_gate = pass.active(ws.gate).columns(0, p.shared.gate.rows);
  const Mat<float> shared_up = pass.active(ws.up).columns(0, p.shared.up.rows);
  ws.tasks.clear();
  for_each_chosen(ws, p, [&](const FfnParameters& e, int64_t first, int64_t count) {
    const int32_t* rows = ws.slot_row.data() + first;
    ws.tasks.push_back({.x = in, .w = e.gate, .y = gate.rows_from(first, count), .gather = rows});
    ws.tasks.push_back({.x = in, .w = e.up, .y = up.rows_from(first, count), .gather = rows});
  });
  ws.tasks.push_back({.x = in, .w = p.shared.gate, .y = shared_gate});
  ws.tasks.push_back({.x = in, .w = p.shared.up, .y = shared_up});
  kernels::linear(pass.ctx, {.tasks = ws.tasks});
  kernels::swiglu(pass.ctx, {.gate = gate, .up = up, .y = gate});
  kernels::swiglu(pass.ctx, {.gate = shared_gate, .up = shared_up, .y = shared_gate});

  const Mat<const float> routed_in = linear_input(pass, p.shared.down, gate, ws.routed_quantized);
  const Mat<float> routed = ws.routed.rows_from(0, slots), shared = pass.active(ws.shared);
  ws.tasks.clear();
  for_each_chosen(ws, p, [&](const FfnParameters& e, int64_t first, int64_t count) {
    ws.tasks.push_back({.x = routed_in.rows_from(first, count), .w = e.down, .y = routed.rows_from(first, count)});
  });
  const Mat<const float> shared_in = linear_input(pass, p.shared.down, shared_gate, ws.quantized);
  ws.tasks.push_back({.x = shared_in, .w = p.shared.down, .y = shared});
  kernels::linear(pass.ctx, {.tasks = ws.tasks});
  kernels::moe_combine(pass.ctx, {.routed = routed,
                                  .shared = shared,
                                  .slot = pass.active(ws.slot),
                                  .weight = pass.active(ws.weight),
                                  .y = hidden});
}

}  // namespace fathom::model
