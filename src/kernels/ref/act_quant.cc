#include "kernels/act_quant.h"

#include <algorithm>
#include <cmath>

namespace fathom::kernels::ref {

void act_quant(const Context&, const ActQuant& op) {
  for (int64_t r = 0; r < op.x.rows; ++r) {
    for (int64_t begin = 0; begin < op.x.cols; begin += kScaleBlock) {
      const int64_t end = std::min(op.x.cols, begin + kScaleBlock);
      const float* x = op.x.row(r);
      float amax = 0;
      for (int64_t c = begin; c < end; ++c) amax = std::max(amax, std::fabs(x[c]));
      const float scale = tile_scale(amax, op.floor, op.format);
      for (int64_t c = begin; c < end; ++c) op.y.row(r)[c] = to_float(to_e4m3(x[c] / scale)) * scale;
    }
  }
}

}  // namespace fathom::kernels::ref
