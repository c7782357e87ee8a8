// attention over stretches, for any arm that computes one: as templates over the vector type S and the arm.
//
// An arm has kColumns and kHeadUnit (attention_plan.h); size_t scratch_bytes(op); a constructor from (op,
// group, memory), which takes up the queries; and stretch(begin, out), which computes the keys [begin, begin
// + kStretch) for every column that has such keys.
#pragma once

#include "kernels/cpu/attention_plan.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/rows.h"

namespace fathom::kernels::cpu {

// Column c of `into` becomes the softmax over the keys of both.
template <class S>
void merge_column(const PartialSoftmax& into, const PartialSoftmax& next, int64_t c, int64_t width) {
  const float largest = next.largest[c] > into.largest[c] ? next.largest[c] : into.largest[c];
  const float old_factor = exp1<S>(into.largest[c] - largest),
              new_factor = exp1<S>(next.largest[c] - largest);
  into.total[c] = into.total[c] * old_factor + next.total[c] * new_factor;
  into.largest[c] = largest;
  float* sum = into.latent + c * width;
  const float* more = next.latent + c * width;
  for (int64_t i = 0; i < width; i += S::kLanes) {
    const int64_t n = width - i < S::kLanes ? width - i : S::kLanes;
    const auto scaled = S::mul(S::load_n(more + i, n), S::set1(new_factor));
    S::store_n(sum + i, S::fma(S::load_n(sum + i, n), S::set1(old_factor), scaled), n);
  }
}

template <class S>
void write_column(const MlaAttention& op, const AttentionGroup& g, int64_t c, const PartialSoftmax& sum) {
  float* out = op.out.at(g.row + c / g.heads, g.head + c % g.heads);
  const float* latent = sum.latent + c * op.cache.latent;
  const auto total = S::set1(sum.total[c]);
  for (int64_t i = 0; i < op.cache.latent; i += S::kLanes) {
    const int64_t n = op.cache.latent - i < S::kLanes ? op.cache.latent - i : S::kLanes;
    S::store_n(out + i, S::div(S::load_n(latent + i, n), total), n);
  }
}

template <class S, class Arm>
void attend_group(const Context& ctx, const MlaAttention& op, const AttentionGroup& g, int thread) {
  const int64_t floats = PartialSoftmax::floats(Arm::kColumns, op.cache.latent);
  const size_t sums = static_cast<size_t>(2 * floats) * sizeof(float);
  std::byte* memory = ctx.pool->scratch(thread, sums + Arm::scratch_bytes(op));
  const PartialSoftmax sum(reinterpret_cast<float*>(memory), g.columns());
  const PartialSoftmax part(reinterpret_cast<float*>(memory) + floats, g.columns());
  Arm arm(op, g, memory + sums);
  arm.stretch(0, sum);
  for (int64_t begin = kStretch; begin < g.longest; begin += kStretch) {
    arm.stretch(begin, part);
    for (int64_t c = 0; c < g.columns(); ++c)
      if (op.rows.position[g.row + c / g.heads] >= begin) merge_column<S>(sum, part, c, op.cache.latent);
  }
  for (int64_t c = 0; c < g.columns(); ++c) write_column<S>(op, g, c, sum);
}

template <class S>
void merge_group_column(const MlaAttention& op, const AttentionPlan& plan, int64_t group, int64_t c) {
  const AttentionGroup& g = plan.group(group);
  const int64_t count = stretches(op.rows.position[g.row + c / g.heads] + 1);
  for (int64_t i = 1; i < count; ++i)
    merge_column<S>(plan.partial(group, 0), plan.partial(group, i), c, op.cache.latent);
  write_column<S>(op, g, c, plan.partial(group, 0));
}

template <class S, class Arm>
void attend_all(const Context& ctx, const MlaAttention& op) {
  const AttentionPlan plan(ctx, op, Arm::kColumns, Arm::kHeadUnit);
  if (!plan.split()) {
    // Later rows have more keys: they go first, so that no thread is left with a long one at the end.
    return ctx.pool->run(plan.groups(), [&](int64_t chunk, int thread) {
      attend_group<S, Arm>(ctx, op, plan.group(plan.groups() - 1 - chunk), thread);
    });
  }
  ctx.pool->run(plan.stretch_chunks(), [&](int64_t chunk, int thread) {
    const AttentionPlan::Stretch s = plan.stretch(chunk);
    Arm arm(op, plan.group(s.group), ctx.pool->scratch(thread, Arm::scratch_bytes(op)));
    arm.stretch(s.index * kStretch, plan.partial(s.group, s.index));
  });
  const int64_t cost = op.cache.latent * stretches(plan.group(0).longest);
  for (int64_t group = 0; group < plan.groups(); ++group)
    for_rows(ctx, plan.group(group).columns(), cost,
             [&](int64_t c, int) { merge_group_column<S>(op, plan, group, c); });
}

}  // namespace fathom::kernels::cpu
