// The gate of the feed-forward layers.
#pragma once

#include "tensor/context.h"
#include "tensor/mat.h"

namespace fathom::kernels {

// y = silu(gate) * up, silu(x) = x / (1 + exp(-x)), FP32. y may be gate or up.
struct Swiglu {
  Mat<const float> gate, up;  // [T, I]
  Mat<float> y;               // [T, I]
};
void swiglu(const Context& ctx, const Swiglu& op);

namespace ref { void swiglu(const Context& ctx, const Swiglu& op); }
namespace cpu { void swiglu(const Context& ctx, const Swiglu& op); }
namespace cuda { void swiglu(const Context& ctx, const Swiglu& op); }

}  // namespace fathom::kernels
