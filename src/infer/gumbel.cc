#include "infer/gumbel.h"

#include <immintrin.h>

#include <algorithm>

namespace fathom::infer {
namespace {

// Philox4x32-10 of four counters at once. Lanes are 64 bits wide with the word in the low half; what the
// products leave in the high halves is never read.
struct Lanes {
  __m256i c0, c1, c2, c3;
};

Lanes philox_lanes(uint64_t key, Lanes c) {
  const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const __m256i p0 = _mm256_mul_epu32(c.c0, m0), p1 = _mm256_mul_epu32(c.c2, m1);
    const __m256i n0 =
        _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c.c1), _mm256_set1_epi64x(k0));
    const __m256i n2 =
        _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c.c3), _mm256_set1_epi64x(k1));
    c = {n0, p1, n2, p0};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

}  // namespace

void noise_words(uint64_t seed, int64_t position, int64_t first_token, std::span<uint32_t> words) {
  const uint64_t high = static_cast<uint64_t>(position);
  for (size_t i = 0; i < words.size(); i += 16) {
    const int64_t counter = (first_token + static_cast<int64_t>(i)) / 4;
    const __m256i low = _mm256_add_epi64(_mm256_set1_epi64x(counter), _mm256_setr_epi64x(0, 1, 2, 3));
    const Lanes r = philox_lanes(
        seed, {low, _mm256_srli_epi64(low, 32), _mm256_set1_epi64x(static_cast<int64_t>(high & 0xFFFFFFFF)),
               _mm256_set1_epi64x(static_cast<int64_t>(high >> 32))});
    alignas(32) uint64_t lanes[4][4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[0]), r.c0);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[1]), r.c1);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[2]), r.c2);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes[3]), r.c3);
    for (size_t c = 0; c < 4; ++c)
      for (size_t w = 0; w < 4; ++w) words[i + 4 * c + w] = static_cast<uint32_t>(lanes[w][c]);
  }
}

uint32_t smallest_word_above(double value) {
  const double word = std::exp(-std::exp(-value)) * 0x1p32 - 4;
  return static_cast<uint32_t>(std::clamp(word, 0.0, 4294967290.0));
}

}  // namespace fathom::infer
