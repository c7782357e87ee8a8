// Tables of byte and word permutations: decoding FP8, packing BF16.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "numeric/e4m3.h"

namespace fathom::kernels::cpu {

struct alignas(64) ByteTable {
  std::array<uint8_t, 128> byte{};
  constexpr const uint8_t* data() const { return byte.data(); }
};

// Byte `shift / 8` of the FP32 pattern of each non-negative code; FP8 values are exact in the upper 16 bits.
constexpr ByteTable make_e4m3_bytes(int shift) {
  ByteTable t;
  for (size_t i = 0; i < 128; ++i)
    t.byte[i] =
        static_cast<uint8_t>(std::bit_cast<uint32_t>(detail::decode_e4m3(static_cast<uint8_t>(i))) >> shift);
  return t;
}
inline constexpr ByteTable kE4m3High = make_e4m3_bytes(24);
inline constexpr ByteTable kE4m3Low = make_e4m3_bytes(16);

// Byte p of the permuted vector is element order[p]: after unpacking within 128-bit lanes and splitting even
// from odd words, element e comes to lane e mod 16 of vector e / 16.
constexpr ByteTable make_e4m3_order() {
  ByteTable t;
  for (size_t p = 0; p < 64; ++p) {
    const size_t lane = p / 16, half = p % 16 / 8, word = p % 8;
    t.byte[p] = static_cast<uint8_t>((half * 2 + word % 2) * 16 + lane * 4 + word / 2);
  }
  return t;
}
inline constexpr ByteTable kE4m3Order = make_e4m3_order();

// Indices of the upper words of 16 floats, then of 16 more.
struct alignas(64) WordTable {
  std::array<uint16_t, 32> word{};
  constexpr const uint16_t* data() const { return word.data(); }
};
constexpr WordTable make_upper_words() {
  WordTable t;
  for (size_t i = 0; i < 32; ++i) t.word[i] = static_cast<uint16_t>(2 * i + 1);
  return t;
}
inline constexpr WordTable kUpperWords = make_upper_words();

}  // namespace fathom::kernels::cpu
