// FP8 scale geometry: activations in tiles of 1x128 along the contracted axis, weights in blocks of 128x128. Ragged
// edges are allowed: the last tile or block covers what is left.
// Source: DeepSeek-V3 report section 3.3; README_WEIGHTS of deepseek-ai/DeepSeek-V3.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "numeric/e4m3.h"

namespace fathom {

inline constexpr int64_t kScaleBlock = 128;

constexpr int64_t scale_blocks(int64_t n) { return (n + kScaleBlock - 1) / kScaleBlock; }

// How the scale of a tile is stored: any float, or rounded up to a power of two (config: scale_fmt "ue8m0").
enum class ScaleFormat : uint8_t { f32, ue8m0 };

// The smallest power of two that is not below `scale`. REQUIRES: scale is positive and normal.
inline float ceil_pow2(float scale) {
  const uint32_t u = std::bit_cast<uint32_t>(scale);
  return std::bit_cast<float>((u + 0x7FFFFF) & 0x7F800000);
}

// Scale of a tile whose largest magnitude is `amax`, floored at `floor` (inference: 1e-4, as DeepSeek's code).
inline float tile_scale(float amax, float floor, ScaleFormat format) {
  const float scale = std::fmax(amax, floor) / kE4m3Max;
  return format == ScaleFormat::ue8m0 ? ceil_pow2(scale) : scale;
}

inline constexpr float kInferenceAmaxFloor = 1e-4f;

}  // namespace fathom
