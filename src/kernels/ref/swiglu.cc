#include "kernels/swiglu.h"

#include <cmath>

namespace fathom::kernels::ref {

void swiglu(const Context&, const Swiglu& op) {
  for (int64_t r = 0; r < op.y.rows; ++r) {
    for (int64_t c = 0; c < op.y.cols; ++c) {
      const float g = op.gate.row(r)[c];
      op.y.row(r)[c] = g / (1.0f + std::exp(-g)) * op.up.row(r)[c];
    }
  }
}

}  // namespace fathom::kernels::ref
