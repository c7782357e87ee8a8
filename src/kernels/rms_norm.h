// Root mean square normalisation.
#pragma once

#include "tensor/context.h"
#include "tensor/mat.h"
#include "tensor/weight.h"

namespace fathom::kernels {

// y[r, c] = weight[c] * x[r, c] / sqrt(mean_c(x[r, c]^2) + eps), all in FP32. y may be x.
struct RmsNorm {
  Mat<const float> x;  // [T, H]
  Weight weight;       // [1, H], F32, BF16 or F16
  float eps = 0;
  Mat<float> y;        // [T, H]
};
void rms_norm(const Context& ctx, const RmsNorm& op);

namespace ref { void rms_norm(const Context& ctx, const RmsNorm& op); }
namespace cpu { void rms_norm(const Context& ctx, const RmsNorm& op); }
namespace cuda { void rms_norm(const Context& ctx, const RmsNorm& op); }

}  // namespace fathom::kernels
