// Operations without vector arithmetic: FP64 angles and counting sorts.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/row_chunks.h"
#include "kernels/moe.h"
#include "kernels/rope.h"

namespace fathom::kernels::cpu {

void rope_angles(const Context& ctx, const RopeAngles& op) {
  constexpr int64_t kElementsPerAngle = 64;  // sine and cosine in FP64 against an FP32 multiplication
  for_rows(ctx, op.cos.rows, op.cos.cols * kElementsPerAngle, [&](int64_t r, int) {
    for (int64_t i = 0; i < op.cos.cols; ++i) {
      const double angle = op.positions[static_cast<size_t>(r)] * op.frequencies[static_cast<size_t>(i)];
      op.cos.row(r)[i] = static_cast<float>(op.factor * std::cos(angle));
      op.sin.row(r)[i] = static_cast<float>(op.factor * std::sin(angle));
    }
  });
}

void moe_group(const Context&, const MoeGroup& op) {
  const int64_t experts = static_cast<int64_t>(op.offset.size()) - 1;
  int32_t* offset = op.offset.data();
  std::fill(offset, offset + experts + 1, 0);
  for (int64_t t = 0; t < op.index.rows; ++t)
    for (int64_t k = 0; k < op.index.cols; ++k) ++offset[op.index.row(t)[k] + 1];
  for (int64_t e = 0; e < experts; ++e) offset[e + 1] += offset[e];
  // offset[e] counts the slots before expert e; filling moves it to the end of e, the shift restores it.
  for (int64_t t = 0; t < op.index.rows; ++t) {
    for (int64_t k = 0; k < op.index.cols; ++k) {
      const int32_t slot = offset[op.index.row(t)[k]]++;
      op.row[static_cast<size_t>(slot)] = static_cast<int32_t>(t);
      op.slot.row(t)[k] = slot;
    }
  }
  std::copy_backward(offset, offset + experts, offset + experts + 1);
  offset[0] = 0;
}

}  // namespace fathom::kernels::cpu
