#include "kernels/rms_norm.h"

#include <cmath>

#include "tensor/element.h"

namespace fathom::kernels::ref {

void rms_norm(const Context&, const RmsNorm& op) {
  for (int64_t r = 0; r < op.x.rows; ++r) {
    const float* x = op.x.row(r);
    double squares = 0;
    for (int64_t c = 0; c < op.x.cols; ++c) squares += static_cast<double>(x[c]) * x[c];
    const double mean = squares / static_cast<double>(op.x.cols);
    const float inverse = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(op.eps)));
    for (int64_t c = 0; c < op.x.cols; ++c)
      op.y.row(r)[c] = load_element(op.weight.data, op.weight.dtype, c) * (x[c] * inverse);
  }
}

}  // namespace fathom::kernels::ref
