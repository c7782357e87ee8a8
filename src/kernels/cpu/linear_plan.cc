#include "kernels/cpu/linear_plan.h"

#include <algorithm>

namespace fathom::kernels::cpu {
namespace {

// A chunk should take long against taking it (a tenth of a microsecond), and there should be several for each
// thread, so that one that is late holds the others up by little.
constexpr int64_t kChunkCost = 1 << 20;
constexpr int64_t kChunksPerThread = 16;

// In elements of w times the rows that meet each; reading and decoding it cost as much as 16 rows.
int64_t cost_of(const LinearTask& t) { return t.y.rows > 0 ? t.y.cols * t.x.cols * (t.y.rows + 16) : 0; }

// Chunks are whole strips of tiles or whole vectors, and whole panels where many rows share one.
int64_t grain_of(const Linear& op, const PlannedTask& p, int64_t outputs) {
  const int64_t rows = p.task->y.rows;
  if (op.form == Form::nt && p.entry == Entry::tiles) return rows > 32 && outputs >= 128 ? 128 : 32;
  return op.form == Form::nn || rows > direct_rows(p.task->w.dtype) ? 64 : 16;
}

Entry entry_of(const Linear& op, const LinearTask& t, bool round, bool tiles) {
  const bool suits = t.w.dtype == DType::bf16 || t.w.dtype == DType::e4m3;
  if (round && tiles && suits) return Entry::tiles;
  if (op.form == Form::nt && t.w.dtype == DType::e4m3) return Entry::ordered;
  return round ? Entry::rounded : Entry::as_is;
}

bool shares_copy(const PlannedTask& a, const PlannedTask& b) {
  const LinearTask &s = *a.task, &t = *b.task;
  const bool same_x =
      s.x.data == t.x.data && s.x.rows == t.x.rows && s.x.cols == t.x.cols && s.x.stride == t.x.stride;
  if (a.entry != b.entry || !same_x) return false;
  return a.copies_rows() || (s.gather == t.gather && s.y.rows == t.y.rows && s.w.dtype == t.w.dtype);
}

int64_t steps_of(const Linear& op, const LinearTask& t) {
  if (op.form == Form::nt) return t.w.dtype == DType::e4m3 ? (t.x.cols + 63) / 64 * 2 : (t.x.cols + 31) / 32;
  int64_t steps = 0;
  for (int64_t k = 0; k < t.w.rows; k += scale_run(t.w, k)) steps += (scale_run(t.w, k) + 31) / 32;
  return steps;
}

// Rows of a copy keep a stride of whole cache lines that is no multiple of a page: pages apart, rows would
// share the same few sets of the first-level cache. It is whole steps of any vector width.
int64_t row_lines(int64_t cols) { return ((cols + 63) / 64 * 4) | 1; }

// Groups of tiles lie an odd multiple of 4 KB apart, a block of columns of each, so that those blocks spread
// over the second-level cache.
int64_t group_bytes(int64_t steps) { return (((steps * 1024 + 4095) / 4096) | 1) * 4096; }

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

int64_t scale_run(const Weight& w, int64_t k) {
  if (w.dtype != DType::e4m3) return w.rows - k;
  return std::min(w.rows - k, kScaleBlock - (w.first_row + k) % kScaleBlock);
}

LinearPlan::LinearPlan(const Context& ctx, const Linear& op, bool round, bool tiles)
    : tasks_(static_cast<int64_t>(op.tasks.size())) {
  const auto describe = [&](const LinearTask& t) {
    PlannedTask p;
    p.task = &t;
    p.entry = entry_of(op, t, round, tiles);
    p.round = round;
    p.x = t.x.data;
    p.x_stride = t.x.stride;
    if (p.copies_rows()) {
      p.copy_bytes = row_lines(t.x.cols) * 64;
      p.units = t.x.rows;
    } else if (p.entry == Entry::tiles) {
      const int64_t segments =
          op.form == Form::nt ? (steps_of(op, t) + kSegmentSteps - 1) / kSegmentSteps : 1;
      p.steps = steps_of(op, t);
      p.copy_bytes = group_bytes(p.steps);
      p.units = (t.y.rows + 15) / 16 * segments;
    }
    return p;
  };
  const auto copies = [](const PlannedTask& p) {
    return p.copy_bytes * (p.entry == Entry::tiles ? (p.task->y.rows + 15) / 16 : p.task->x.rows);
  };
  int64_t bytes = 0;
  PlannedTask last;
  for (const LinearTask& t : op.tasks) {
    if (cost_of(t) == 0) continue;
    const PlannedTask p = describe(t);
    if (last.task == nullptr || !shares_copy(last, p)) bytes += copies(p);
    last = p;
  }
  const size_t table = aligned(op.tasks.size() * sizeof(PlannedTask));
  std::byte* memory = ctx.pool->shared_scratch(table + static_cast<size_t>(bytes));
  planned_ = reinterpret_cast<PlannedTask*>(memory);
  for (int64_t i = 0; i < tasks_; ++i) planned_[i] = describe(op.tasks[static_cast<size_t>(i)]);
  place_copies(memory + table);
  place_chunks(ctx, op);
}

void LinearPlan::place_copies(std::byte* memory) {
  const PlannedTask* last = nullptr;
  for (PlannedTask* p = planned_; p < planned_ + tasks_; ++p) {
    p->first_unit = units_;
    if (cost_of(*p->task) == 0) p->units = 0;
    if (p->units == 0) continue;
    const bool shared = last != nullptr && shares_copy(*last, *p);
    std::byte* at = memory;
    if (shared) {
      at = last->packed;
      p->units = 0;
    } else {
      memory += p->copy_bytes * (p->entry == Entry::tiles ? (p->task->y.rows + 15) / 16 : p->task->x.rows);
      units_ += p->units;
    }
    p->packed = at;
    if (p->copies_rows()) {
      p->x = reinterpret_cast<const float*>(at);
      p->x_stride = p->copy_bytes / static_cast<int64_t>(sizeof(float));
    }
    last = p;
  }
}

void LinearPlan::place_chunks(const Context& ctx, const Linear& op) {
  int64_t total = 0;
  for (const LinearTask& t : op.tasks) total += cost_of(t);
  const int64_t per_chunk = std::max(kChunkCost, total / (kChunksPerThread * ctx.pool->threads()));
  for (PlannedTask* p = planned_; p < planned_ + tasks_; ++p) {
    const LinearTask& t = *p->task;
    p->first_chunk = chunks_;
    p->outputs_per_chunk = 1;
    if (cost_of(t) == 0) continue;
    const int64_t outputs = per_chunk / (t.x.cols * (t.y.rows + 16)), grain = grain_of(op, *p, outputs);
    p->outputs_per_chunk = std::max<int64_t>(1, (outputs + grain / 2) / grain) * grain;
    chunks_ += (t.y.cols + p->outputs_per_chunk - 1) / p->outputs_per_chunk;
  }
}

OutputRange LinearPlan::outputs(int64_t chunk) const {
  const auto after = [](int64_t c, const PlannedTask& t) { return c < t.first_chunk; };
  const PlannedTask* p = std::upper_bound(planned_, planned_ + tasks_, chunk, after) - 1;
  const int64_t begin = (chunk - p->first_chunk) * p->outputs_per_chunk;
  return {p, begin, std::min(p->task->y.cols, begin + p->outputs_per_chunk)};
}

CopyUnit LinearPlan::copy(int64_t unit) const {
  const auto after = [](int64_t u, const PlannedTask& t) { return u < t.first_unit; };
  const PlannedTask* p = std::upper_bound(planned_, planned_ + tasks_, unit, after) - 1;
  // The last task that begins at or before the unit; an empty one may stand at the same place only after all
  // others.
  while (p->units == 0) --p;
  return {p, unit - p->first_unit};
}

}  // namespace fathom::kernels::cpu
