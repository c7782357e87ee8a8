#include "kernels/rope.h"

#include <cmath>

namespace fathom::kernels::ref {

void rope_angles(const Context&, const RopeAngles& op) {
  for (int64_t r = 0; r < op.cos.rows; ++r) {
    for (int64_t i = 0; i < op.cos.cols; ++i) {
      const double angle = op.positions[static_cast<size_t>(r)] * op.frequencies[static_cast<size_t>(i)];
      op.cos.row(r)[i] = static_cast<float>(op.factor * std::cos(angle));
      op.sin.row(r)[i] = static_cast<float>(op.factor * std::sin(angle));
    }
  }
}

void rope(const Context&, const Rope& op) {
  for (int64_t r = 0; r < op.x.rows; ++r) {
    for (int64_t h = 0; h < op.x.heads; ++h) {
      float* x = op.x.at(r, h);
      for (int64_t i = 0; i < op.x.dim / 2; ++i) {
        const float c = op.cos.row(r)[i], s = op.sin.row(r)[i];
        const float x0 = x[2 * i], x1 = x[2 * i + 1];
        x[2 * i] = x0 * c - x1 * s;
        x[2 * i + 1] = x1 * c + x0 * s;
      }
    }
  }
}

}  // namespace fathom::kernels::ref
