// Rows of the embedding table.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/context.h"
#include "tensor/mat.h"
#include "tensor/weight.h"

namespace fathom::kernels {

// y[r] = table[ids[r]], converted to FP32.
struct Embedding {
  std::span<const int32_t> ids;  // [T], each in [0, V)
  Weight table;                  // [V, H], any dtype
  Mat<float> y;                  // [T, H]
};
void embedding(const Context& ctx, const Embedding& op);

namespace ref { void embedding(const Context& ctx, const Embedding& op); }
namespace cpu { void embedding(const Context& ctx, const Embedding& op); }
namespace cuda { void embedding(const Context& ctx, const Embedding& op); }

}  // namespace fathom::kernels
