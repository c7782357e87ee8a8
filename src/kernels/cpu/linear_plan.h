// How the tasks of a linear() call are cut into chunks for the pool, and where each finds its operand rows.
#pragma once

#include <cstdint>

#include "kernels/linear.h"

namespace fathom::kernels::cpu {

// More rows of x than this share one decoding of w.
inline constexpr int64_t kDirectRows = 4;

struct PlannedTask {
  const LinearTask* task = nullptr;
  int64_t first_chunk = 0;
  int64_t outputs_per_chunk = 0;  // columns of y
  // The rows of x as they enter the product: the caller's, or a rounded copy in `operands` of the plan.
  const float* x = nullptr;
  int64_t x_stride = 0;
  int64_t copied_rows = 0;  // rows of the copy that this task owns; 0 when it shares the one before
  int64_t copy_first = 0;   // rows copied for the tasks before it

  const float* row(int64_t r) const { return x + (task->gather != nullptr ? task->gather[r] : r) * x_stride; }
};

struct OutputRange {
  const PlannedTask* planned = nullptr;
  int64_t begin = 0, end = 0;  // columns of y
};

class LinearPlan {
 public:
  // Lays the plan, and copies of x if `copy`, out in the pool's shared scratch.
  LinearPlan(const Context& ctx, const Linear& op, bool copy);

  int64_t chunks() const { return chunks_; }
  OutputRange outputs(int64_t chunk) const;
  // Rows of x to be copied, over all tasks: row i is source(i), and belongs at destination(i).
  int64_t copied_rows() const { return copied_rows_; }
  struct Copy {
    const float* from;
    float* to;
    int64_t count;
  };
  Copy copy(int64_t i) const;

 private:
  int64_t tasks_ = 0, chunks_ = 0, copied_rows_ = 0;
  PlannedTask* planned_ = nullptr;
};

}  // namespace fathom::kernels::cpu
