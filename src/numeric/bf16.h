// bfloat16: the upper half of a float; rounding to nearest even, NaN kept.
#pragma once

#include <bit>
#include <cstdint>

namespace fathom {

struct bf16 {
  uint16_t bits = 0;
};

inline float to_float(bf16 v) { return std::bit_cast<float>(static_cast<uint32_t>(v.bits) << 16); }

inline bf16 to_bf16(float v) {
  const uint32_t u = std::bit_cast<uint32_t>(v);
  if ((u & 0x7FFFFFFF) > 0x7F800000) return {static_cast<uint16_t>((u >> 16) | 0x40)};
  return {static_cast<uint16_t>((u + 0x7FFF + ((u >> 16) & 1)) >> 16)};
}

// `v` as bfloat16 would hold it.
inline float round_bf16(float v) { return to_float(to_bf16(v)); }

}  // namespace fathom
