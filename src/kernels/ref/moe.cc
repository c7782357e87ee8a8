#include "kernels/moe.h"

#include <algorithm>

namespace fathom::kernels::ref {

void moe_group(const Context&, const MoeGroup& op) {
  std::fill(op.offset.begin(), op.offset.end(), 0);
  for (int64_t t = 0; t < op.index.rows; ++t)
    for (int64_t k = 0; k < op.index.cols; ++k) ++op.offset[static_cast<size_t>(op.index.row(t)[k]) + 1];
  for (size_t e = 1; e < op.offset.size(); ++e) op.offset[e] += op.offset[e - 1];
  // offset[e] now counts the slots before expert e; filling advances it to the end of e, the shift below restores it.
  for (int64_t t = 0; t < op.index.rows; ++t) {
    for (int64_t k = 0; k < op.index.cols; ++k) {
      const int32_t slot = op.offset[static_cast<size_t>(op.index.row(t)[k])]++;
      op.row[static_cast<size_t>(slot)] = static_cast<int32_t>(t);
      op.slot.row(t)[k] = slot;
    }
  }
  for (size_t e = op.offset.size() - 1; e > 0; --e) op.offset[e] = op.offset[e - 1];
  op.offset[0] = 0;
}

void moe_combine(const Context&, const MoeCombine& op) {
  for (int64_t t = 0; t < op.y.rows; ++t) {
    for (int64_t c = 0; c < op.y.cols; ++c) {
      float sum = 0;
      for (int64_t k = 0; k < op.slot.cols; ++k) sum += op.weight.row(t)[k] * op.routed.row(op.slot.row(t)[k])[c];
      op.y.row(t)[c] += sum + op.shared.row(t)[c];
    }
  }
}

}  // namespace fathom::kernels::ref
