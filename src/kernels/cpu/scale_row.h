// Block scales as the kernels walk them.
#pragma once

#include "tensor/element.h"

namespace fathom::kernels::cpu {

// The scales of row r: one float per 128 columns, unaligned; null unless the weight is FP8.
inline const std::byte* scale_row(const Weight& w, int64_t r) {
  if (w.scales == nullptr) return nullptr;
  const int64_t at = (w.first_row + r) / kScaleBlock * w.scale_cols;
  return w.scales + static_cast<size_t>(at) * sizeof(float);
}

inline float load_scale(const std::byte* scales, int64_t column) {
  float value;
  std::memcpy(&value, scales + static_cast<size_t>(column / kScaleBlock) * sizeof(float), sizeof value);
  return value;
}

}  // namespace fathom::kernels::cpu
