// The rows of one step, gathered from sequences, in arrays that are allocated once.
#pragma once

#include <cstdint>
#include <vector>

#include "model/step.h"

namespace fathom::infer {

class StepBatch {
 public:
  explicit StepBatch(int64_t max_rows)
      : tokens_(static_cast<size_t>(max_rows)),
        positions_(static_cast<size_t>(max_rows)),
        slots_(static_cast<size_t>(max_rows)) {}

  void clear() { rows_ = 0; }
  int64_t rows() const { return rows_; }
  // REQUIRES: rows() below the maximum; rows of one slot come in rising position.
  void add(int32_t token, int64_t position, int32_t slot) {
    const auto r = static_cast<size_t>(rows_++);
    tokens_[r] = token;
    positions_[r] = static_cast<int32_t>(position);
    slots_[r] = slot;
  }
  // Valid until the next change.
  model::Step step(Mat<const int32_t> tables, std::span<const kernels::PagedLatent> cache) const {
    const auto rows = static_cast<size_t>(rows_);
    return {
        .tokens = std::span(tokens_).first(rows),
        .positions = std::span(positions_).first(rows),
        .rows = {.rows = rows_, .sequence = slots_.data(), .position = positions_.data(), .tables = tables},
        .cache = cache};
  }

 private:
  std::vector<int32_t> tokens_, positions_, slots_;
  int64_t rows_ = 0;
};

}  // namespace fathom::infer
