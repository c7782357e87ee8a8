// FP8 E4M3 of the "fn" kind: no infinity, one NaN per sign (0x7F, 0xFF), largest value 448, smallest subnormal 2^-9.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace fathom {

inline constexpr float kE4m3Max = 448.0f;

struct e4m3 {
  uint8_t bits = 0;
};

namespace detail {
constexpr float decode_e4m3(uint8_t b) {
  const int exponent = (b >> 3) & 15, mantissa = b & 7;
  if (exponent == 15 && mantissa == 7) return std::bit_cast<float>(0x7FC00000u | (static_cast<uint32_t>(b & 0x80) << 24));
  float v = exponent == 0 ? static_cast<float>(mantissa) : static_cast<float>(8 + mantissa);
  for (int e = (exponent == 0 ? 1 : exponent); e < 10; ++e) v *= 0.5f;  // value = v * 2^(exponent - 10)
  for (int e = 10; e < exponent; ++e) v *= 2.0f;
  return (b & 0x80) != 0 ? -v : v;
}
constexpr std::array<float, 256> make_e4m3_table() {
  std::array<float, 256> table{};
  for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = decode_e4m3(static_cast<uint8_t>(i));
  return table;
}
inline constexpr std::array<float, 256> kE4m3Table = make_e4m3_table();
}  // namespace detail

inline float to_float(e4m3 v) { return detail::kE4m3Table[v.bits]; }

// Round to nearest even, saturating at +-448; NaN stays NaN.
inline e4m3 to_e4m3(float v) {
  const uint32_t u = std::bit_cast<uint32_t>(v);
  const uint8_t sign = static_cast<uint8_t>((u >> 24) & 0x80);
  const float a = std::fabs(v);
  if (std::isnan(v)) return {static_cast<uint8_t>(sign | 0x7F)};
  if (a >= kE4m3Max) return {static_cast<uint8_t>(sign | 0x7E)};
  if (a < 0x1p-6f) {  // subnormal: multiples of 2^-9; 8 of them is the smallest normal, whose code follows
    const float units = std::nearbyint(a * 0x1p9f);
    return {static_cast<uint8_t>(sign | static_cast<uint8_t>(units))};
  }
  const uint32_t m = std::bit_cast<uint32_t>(a);
  const uint32_t rounded = m + 0x7FFFF + ((m >> 20) & 1);
  const uint32_t code = (rounded >> 20) - ((127 - 7) << 3);
  return {static_cast<uint8_t>(sign | (code > 0x7E ? 0x7E : code))};
}

}  // namespace fathom
