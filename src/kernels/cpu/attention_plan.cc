#include "kernels/cpu/attention_plan.h"

#include <algorithm>

namespace fathom::kernels::cpu {
namespace {

// Fewer groups than this for each thread: the stretches of a long context are spread too.
constexpr int64_t kGroupsPerThread = 2;
constexpr int64_t kPartialBytes = int64_t{128} << 20;

// Rows from `row` on that continue its sequence, at most `limit`.
int64_t run_length(const RowMap& rows, int64_t row, int64_t limit) {
  int64_t n = 1;
  while (n < limit && row + n < rows.rows && rows.sequence[row + n] == rows.sequence[row]) ++n;
  return n;
}

}  // namespace

AttentionPlan::AttentionPlan(const Context& ctx, const MlaAttention& op, int64_t columns, int64_t unit)
    : latent_(op.cache.latent), columns_(columns) {
  const int64_t heads = std::min(op.q_latent.heads, columns), parts = (op.q_latent.heads + heads - 1) / heads;
  // Few rows are dealt out one by one, so that every thread has some.
  const int64_t share = op.rows.rows * parts / (4 * ctx.pool->threads());
  const int64_t rows =
      std::clamp<int64_t>(share, 1, std::max<int64_t>(1, columns / ((heads + unit - 1) / unit * unit)));
  const size_t limit = static_cast<size_t>(op.rows.rows * parts);
  const size_t table = (limit * (sizeof(AttentionGroup) + sizeof(int64_t)) + 63) / 64 * 64;
  int64_t spread = 0, count = 0;
  for (int64_t r = 0; r < op.rows.rows; ++count) {
    const int64_t n = run_length(op.rows, r, rows);
    spread += stretches(*std::max_element(op.rows.position + r, op.rows.position + r + n) + 1);
    r += n;
  }
  const int64_t floats = PartialSoftmax::floats(columns, latent_);
  const int64_t partial_bytes = spread * parts * floats * static_cast<int64_t>(sizeof(float));
  const bool apart = count * parts < kGroupsPerThread * ctx.pool->threads() && spread > count &&
                     partial_bytes <= kPartialBytes;
  std::byte* memory = ctx.pool->shared_scratch(table + static_cast<size_t>(apart ? partial_bytes : 0));
  group_ = reinterpret_cast<AttentionGroup*>(memory);
  first_chunk_ = reinterpret_cast<int64_t*>(group_ + limit);
  if (apart) partial_ = reinterpret_cast<float*>(memory + table);
  for (int64_t r = 0; r < op.rows.rows;) {
    const int64_t n = run_length(op.rows, r, rows);
    const int64_t longest = *std::max_element(op.rows.position + r, op.rows.position + r + n) + 1;
    for (int64_t h = 0; h < op.q_latent.heads; h += heads) {
      group_[groups_] = {r, n, h, std::min(heads, op.q_latent.heads - h), longest};
      first_chunk_[groups_++] = chunks_;
      chunks_ += stretches(longest);
    }
    r += n;
  }
}

AttentionPlan::Stretch AttentionPlan::stretch(int64_t chunk) const {
  const int64_t g = std::upper_bound(first_chunk_, first_chunk_ + groups_, chunk) - first_chunk_ - 1;
  return {g, chunk - first_chunk_[g]};
}

PartialSoftmax AttentionPlan::partial(int64_t group, int64_t index) const {
  return {partial_ + (first_chunk_[group] + index) * PartialSoftmax::floats(columns_, latent_),
          group_[group].columns()};
}

}  // namespace fathom::kernels::cpu
