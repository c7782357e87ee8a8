#include "kernels/cpu/linear_plan.h"

#include <algorithm>

namespace fathom::kernels::cpu {
namespace {

// A chunk should take long against taking it (a tenth of a microsecond), and there should be several for each
// thread, so that one that is late holds the others up by little.
constexpr int64_t kChunkElements = 64 * 1024;
constexpr int64_t kChunksPerThread = 8;

bool same_rows(const LinearTask& a, const LinearTask& b) {
  return a.x.data == b.x.data && a.x.rows == b.x.rows && a.x.cols == b.x.cols && a.x.stride == b.x.stride;
}

// The rows of a copy keep a stride of whole cache lines that is no multiple of a page: pages apart, rows
// would share the same few sets of the first-level cache.
int64_t copy_stride(int64_t cols) {
  const int64_t lines = (cols + 15) / 16;
  return (lines | 1) * 16;
}

// Chunks are whole vectors of the nn form, and whole panels where many rows share one.
int64_t grain_of(const Linear& op, const LinearTask& t) {
  return op.form == Form::nn || t.y.rows > kDirectRows ? 64 : 16;
}

int64_t work(const LinearTask& t) { return t.y.rows > 0 ? t.y.cols * t.x.cols : 0; }

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

LinearPlan::LinearPlan(const Context& ctx, const Linear& op, bool copy)
    : tasks_(static_cast<int64_t>(op.tasks.size())) {
  int64_t total = 0, copied_elements = 0;
  const LinearTask* before = nullptr;
  for (const LinearTask& t : op.tasks) {
    total += work(t);
    if (work(t) == 0) continue;
    if (copy && (before == nullptr || !same_rows(*before, t)))
      copied_elements += t.x.rows * copy_stride(t.x.cols);
    before = &t;
  }
  const size_t table = aligned(op.tasks.size() * sizeof(PlannedTask));
  std::byte* memory = ctx.pool->shared_scratch(table + static_cast<size_t>(copied_elements) * sizeof(float));
  planned_ = reinterpret_cast<PlannedTask*>(memory);
  float* copies = reinterpret_cast<float*>(memory + table);
  const int64_t per_chunk = std::max(kChunkElements, total / (kChunksPerThread * ctx.pool->threads()));
  const PlannedTask* last = nullptr;
  for (int64_t i = 0; i < tasks_; ++i) {
    const LinearTask& t = op.tasks[static_cast<size_t>(i)];
    PlannedTask& p = planned_[i];
    const int64_t grain = grain_of(op, t);
    p = {&t, chunks_, grain, t.x.data, t.x.stride, 0, copied_rows_};
    if (work(t) == 0) continue;
    const int64_t outputs = per_chunk / t.x.cols;
    p.outputs_per_chunk = std::max<int64_t>(1, (outputs + grain / 2) / grain) * grain;
    chunks_ += (t.y.cols + p.outputs_per_chunk - 1) / p.outputs_per_chunk;
    if (!copy) continue;
    p.x_stride = copy_stride(t.x.cols);
    if (last != nullptr && same_rows(*last->task, t)) {
      p.x = last->x;
    } else {
      p.x = copies;
      p.copied_rows = t.x.rows;
      copies += t.x.rows * p.x_stride;
      copied_rows_ += t.x.rows;
    }
    last = &p;
  }
}

OutputRange LinearPlan::outputs(int64_t chunk) const {
  const PlannedTask* p = std::upper_bound(planned_, planned_ + tasks_, chunk,
                                          [](int64_t c, const PlannedTask& t) { return c < t.first_chunk; }) -
                         1;
  const int64_t begin = (chunk - p->first_chunk) * p->outputs_per_chunk;
  return {p, begin, std::min(p->task->y.cols, begin + p->outputs_per_chunk)};
}

LinearPlan::Copy LinearPlan::copy(int64_t i) const {
  const PlannedTask* p = std::upper_bound(planned_, planned_ + tasks_, i,
                                          [](int64_t r, const PlannedTask& t) { return r < t.copy_first; }) -
                         1;
  // Tasks that copy nothing begin where the next one that does begins.
  while (p->copied_rows == 0) --p;
  const int64_t r = i - p->copy_first;
  return {p->task->x.row(r), const_cast<float*>(p->x) + r * p->x_stride, p->task->x.cols};
}

}  // namespace fathom::kernels::cpu
