// FP8 rounding of activations, as DeepSeek's inference code quantizes the input of every quantized linear.
#pragma once

#include "numeric/scaling.h"
#include "tensor/context.h"
#include "tensor/mat.h"

namespace fathom::kernels {

// Per row and tile of 128 columns: s = max(amax, floor) / 448 (rounded up to a power of two for ue8m0);
// y = e4m3(x / s) * s. y may be x. Source: deepseek-ai/DeepSeek-V3 inference/kernel.py.
struct ActQuant {
  Mat<const float> x;  // [T, K]
  Mat<float> y;        // [T, K]
  ScaleFormat format = ScaleFormat::f32;
  float floor = kInferenceAmaxFloor;
};
void act_quant(const Context& ctx, const ActQuant& op);

namespace ref { void act_quant(const Context& ctx, const ActQuant& op); }
namespace cpu { void act_quant(const Context& ctx, const ActQuant& op); }
namespace cuda { void act_quant(const Context& ctx, const ActQuant& op); }

}  // namespace fathom::kernels
