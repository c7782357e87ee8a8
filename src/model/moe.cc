#include "kernels/moe.h"

#include <algorithm>

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
  ws.tasks.clear();
  for (int64_t r = 0; r < x.rows; r += kRouterRows) {
    const int64_t n = std::min(kRouterRows, x.rows - r);
    ws.tasks.push_back({.x = x.rows_from(r, n), .w = p.router, .y = logits.rows_from(r, n)});
  }
  kernels::linear(pass.ctx, {.tasks = ws.tasks, .operands = kernels::Operands::f32});
  kernels::router(pass.ctx, {.logits = logits,
                             .bias = bias,
                             .groups = c.n_group,
                             .groups_kept = c.topk_group,
                             .normalize = c.norm_topk_prob,
                             .scaling = static_cast<float>(c.routed_scaling_factor),
                             .index = pass.active(ws.index),
                             .weight = pass.active(ws.weight)});
  kernels::moe_group(
      pass.ctx,
      {.index = pass.active(ws.index),
       .offset = ws.offset,
       .row = std::span(ws.slot_row).first(static_cast<size_t>(pass.rows() * c.num_experts_per_tok)),
       .slot = pass.active(ws.slot)});
}

// Every expert that some row chose, where it is mapped.
std::span<const ChosenExpert> all_chosen(Workspace& ws, const MoeParameters& p) {
  ws.chosen.clear();
  for (size_t e = 0; e < p.experts.size(); ++e)
    if (ws.offset[e + 1] > ws.offset[e]) ws.chosen.push_back({static_cast<int32_t>(e), &p.experts[e]});
  return ws.chosen;
}

// Rows of the slots that belong to one expert.
struct Slots {
  int64_t first, count;
};
Slots slots_of(const Workspace& ws, const ChosenExpert& e) {
  const auto i = static_cast<size_t>(e.expert);
  return {ws.offset[i], ws.offset[i + 1] - ws.offset[i]};
}

// Calls visit(run, its slots) for experts whose slots follow one another. They come in rising order.
template <class Visit>
void for_each_run(const Workspace& ws, std::span<const ChosenExpert> experts, Visit visit) {
  for (size_t begin = 0, end; begin < experts.size(); begin = end) {
    Slots run = slots_of(ws, experts[begin]);
    for (end = begin + 1; end < experts.size(); ++end) {
      const Slots next = slots_of(ws, experts[end]);
      if (next.first != run.first + run.count) break;
      run.count += next.count;
    }
    visit(experts.subspan(begin, end - begin), run);
  }
}

// The products of some chosen experts, and of the shared one when asked: gate and up are one group, then
// down.
void products(const Pass& pass, const MoeParameters& p, std::span<const ChosenExpert> experts, bool shared,
              Mat<const float> x) {
  Workspace& ws = pass.ws;
  const Mat<const float> in = linear_input(pass, p.shared.gate, x, ws.quantized);
  const Mat<float> shared_gate = pass.active(ws.gate).columns(0, p.shared.gate.rows);
  const Mat<float> shared_up = pass.active(ws.up).columns(0, p.shared.up.rows);
  ws.tasks.clear();
  for (const ChosenExpert& e : experts) {
    const auto [first, count] = slots_of(ws, e);
    const int32_t* rows = ws.slot_row.data() + first;
    ws.tasks.push_back(
        {.x = in, .w = e.weights->gate, .y = ws.routed_gate.rows_from(first, count), .gather = rows});
    ws.tasks.push_back(
        {.x = in, .w = e.weights->up, .y = ws.routed_up.rows_from(first, count), .gather = rows});
  }
  if (shared) {
    ws.tasks.push_back({.x = in, .w = p.shared.gate, .y = shared_gate});
    ws.tasks.push_back({.x = in, .w = p.shared.up, .y = shared_up});
  }
  kernels::linear(pass.ctx, {.tasks = ws.tasks});

  ws.tasks.clear();
  for_each_run(ws, experts, [&](std::span<const ChosenExpert> run, const Slots& slots) {
    const Mat<float> gate = ws.routed_gate.rows_from(slots.first, slots.count);
    kernels::swiglu(pass.ctx,
                    {.gate = gate, .up = ws.routed_up.rows_from(slots.first, slots.count), .y = gate});
    const Mat<const float> down_in =
        linear_input(pass, p.shared.down, gate, ws.routed_quantized.rows_from(slots.first, slots.count));
    for (const ChosenExpert& e : run) {
      const auto [first, count] = slots_of(ws, e);
      ws.tasks.push_back({.x = down_in.rows_from(first - slots.first, count),
                          .w = e.weights->down,
                          .y = ws.routed.rows_from(first, count)});
    }
  });
  if (shared) {
    kernels::swiglu(pass.ctx, {.gate = shared_gate, .up = shared_up, .y = shared_gate});
    const Mat<const float> down_in = linear_input(pass, p.shared.down, shared_gate, ws.quantized);
    ws.tasks.push_back({.x = down_in, .w = p.shared.down, .y = pass.active(ws.shared)});
  }
  kernels::linear(pass.ctx, {.tasks = ws.tasks});
}

}  // namespace

void moe(const Pass& pass, const MoeParameters& p, std::span<const float> bias, int64_t layer,
         Mat<const float> x, Mat<float> hidden) {
  Workspace& ws = pass.ws;
  route(pass, p, bias, x);
  if (pass.observer != nullptr)
    pass.observer->routed(layer, pass.active(ws.router_logits), pass.active(ws.index),
                          pass.active(ws.weight));

  const Residency* residency = pass.options.residency;
  ExpertCache* cache = residency == nullptr ? nullptr : residency->experts();
  if (cache == nullptr) {
    products(pass, p, all_chosen(ws, p), true, x);
  } else {
    // The disk reads while what is here already is computed.
    cache->begin(p.experts, layer, ws.offset);
    products(pass, p, cache->next(), true, x);
    while (!cache->done()) products(pass, p, cache->next(), false, x);
  }
  kernels::moe_combine(pass.ctx,
                       {.routed = ws.routed.rows_from(0, pass.rows() * pass.config.num_experts_per_tok),
                        .shared = pass.active(ws.shared),
                        .slot = pass.active(ws.slot),
                        .weight = pass.active(ws.weight),
                        .y = hidden});
}

}  // namespace fathom::model
