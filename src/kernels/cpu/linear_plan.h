// How the tasks of a linear() call are cut into chunks for the pool, and in what form their rows of x enter.
#pragma once

#include <cstdint>

#include "kernels/linear.h"

namespace fathom::kernels::cpu {

// More rows of x than this share one decoding of w: it costs FP8 most.
constexpr int64_t direct_rows(DType dtype) { return dtype == DType::e4m3 ? 6 : 16; }

// How the rows of x enter a product.
enum class Entry : uint8_t {
  as_is,    // the caller's memory
  rounded,  // a copy of the rows of x, rounded to BF16, still FP32
  ordered,  // the same for FP8 weights in FP32 arithmetic, in the order of ordered_rows.h, rounded in fast
            // mode
  tiles,    // a copy of the rows of y, in groups of 16, as tiles of BF16 pairs
};

struct PlannedTask {
  const LinearTask* task = nullptr;
  Entry entry = Entry::as_is;
  bool round = false;                              // to BF16
  int64_t first_chunk = 0, outputs_per_chunk = 0;  // columns of y
  const float* x = nullptr;                        // as_is, rounded, ordered (and what tiles are made of)
  int64_t x_stride = 0;
  std::byte* packed = nullptr;  // tiles
  int64_t steps = 0;            // tiles: of 32 columns
  int64_t copy_bytes = 0;       // of a row or a group
  int64_t first_unit = 0;       // units of copying of the tasks before
  int64_t units = 0;            // 0 when the task shares the copy of the one before

  bool copies_rows() const { return entry == Entry::rounded || entry == Entry::ordered; }
  const float* row(int64_t r) const { return x + (task->gather != nullptr ? task->gather[r] : r) * x_stride; }
};

struct OutputRange {
  const PlannedTask* planned = nullptr;
  int64_t begin = 0, end = 0;  // columns of y
};

// What one unit of copying makes: a row of a rounded or ordered copy, or kSegmentSteps steps of a group of
// tiles (all of them in the nn form).
struct CopyUnit {
  const PlannedTask* planned = nullptr;
  int64_t index = 0;
};
inline constexpr int64_t kSegmentSteps = 16;

// Rows of w from row k on that tiles sum before a scale is applied: up to the next block of scales for FP8,
// else all.
int64_t scale_run(const Weight& w, int64_t k);

class LinearPlan {
 public:
  // Lays the plan, and room for the copies, out in the pool's shared scratch. `round`: operands are rounded
  // to BF16; `tiles`: products that tiles can do enter as such.
  LinearPlan(const Context& ctx, const Linear& op, bool round, bool tiles);

  int64_t chunks() const { return chunks_; }
  OutputRange outputs(int64_t chunk) const;
  // The copies must be made before any chunk runs.
  int64_t copy_units() const { return units_; }
  CopyUnit copy(int64_t unit) const;

 private:
  void place_copies(std::byte* memory);
  void place_chunks(const Context& ctx, const Linear& op);

  int64_t tasks_ = 0, chunks_ = 0, units_ = 0;
  PlannedTask* planned_ = nullptr;
};

}  // namespace fathom::kernels::cpu
