// Rotary position embedding of interleaved pairs (2i, 2i+1), as the checkpoints store them (specification: DeepSeek's
// demo code, `apply_rotary_emb`).
#pragma once

#include <cstdint>
#include <span>

#include "tensor/context.h"
#include "tensor/mat.h"

namespace fathom::kernels {

// cos[r, i] = factor * cos(positions[r] * frequencies[i]), sin alike. Angles in FP64, so that positions of 160,000 lose
// nothing; computed once a step and shared by all layers.
struct RopeAngles {
  std::span<const int32_t> positions;     // [T]
  std::span<const double> frequencies;    // [dim / 2], radians per position
  double factor = 1;
  Mat<float> cos, sin;                    // [T, dim / 2]
};
void rope_angles(const Context& ctx, const RopeAngles& op);

// In place, for every row r and head h: (x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin) for each pair.
struct Rope {
  Heads<float> x;             // [T, heads, dim]
  Mat<const float> cos, sin;  // [T, dim / 2]
};
void rope(const Context& ctx, const Rope& op);

namespace ref {
void rope_angles(const Context& ctx, const RopeAngles& op);
void rope(const Context& ctx, const Rope& op);
}  // namespace ref
namespace cpu {
void rope_angles(const Context& ctx, const RopeAngles& op);
void rope(const Context& ctx, const Rope& op);
}  // namespace cpu
namespace cuda {
void rope_angles(const Context& ctx, const RopeAngles& op);
void rope(const Context& ctx, const Rope& op);
}  // namespace cuda

}  // namespace fathom::kernels
