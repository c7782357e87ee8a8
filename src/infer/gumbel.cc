#include "infer/gumbel.h"

#include "kernels/cpu/intrinsics.h"

#include <algorithm>
#include <vector>

#include "tensor/isa.h"

namespace fathom::infer {
namespace {

// Philox4x32-10. Lanes are 64 bits wide with the word in the low half; what the products leave in the high
// halves is never read. Two vectors of counters walk together to hide how long a product takes.
struct Lanes {
  __m256i c0, c1, c2, c3;
};

void turn(Lanes& c, __m256i k0, __m256i k1) {
  const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
  const __m256i p0 = _mm256_mul_epu32(c.c0, m0), p1 = _mm256_mul_epu32(c.c2, m1);
  const __m256i n0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c.c1), k0);
  const __m256i n2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c.c3), k1);
  c = {n0, p1, n2, p0};
}

void put(const Lanes& r, uint32_t* words) {
  const __m256i first = _mm256_blend_epi32(r.c0, _mm256_slli_epi64(r.c1, 32), 0xAA);
  const __m256i last = _mm256_blend_epi32(r.c2, _mm256_slli_epi64(r.c3, 32), 0xAA);
  const __m256i even = _mm256_unpacklo_epi64(first, last), odd = _mm256_unpackhi_epi64(first, last);
  auto* to = reinterpret_cast<__m256i*>(words);
  _mm256_storeu_si256(to, _mm256_permute2x128_si256(even, odd, 0x20));
  _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(even, odd, 0x31));
}

constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

// Sixteen counters at once. `counter`: of the first word.
__attribute__((target("avx512f,avx512vl"))) void words_avx512(uint64_t seed, uint64_t position,
                                                              int64_t counter, uint32_t* words) {
  const __m512i m0 = _mm512_set1_epi64(0xD2511F53), m1 = _mm512_set1_epi64(0xCD9E8D57);
  __m512i c[2][4];
  for (int v = 0; v < 2; ++v) {
    c[v][0] = _mm512_add_epi64(_mm512_set1_epi64(counter + 8 * v), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    c[v][1] = _mm512_srli_epi64(c[v][0], 32);
    c[v][2] = _mm512_set1_epi64(static_cast<int64_t>(position & 0xFFFFFFFF));
    c[v][3] = _mm512_set1_epi64(static_cast<int64_t>(position >> 32));
  }
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round, k0 += kWeyl0, k1 += kWeyl1) {
    const __m512i key0 = _mm512_set1_epi64(k0), key1 = _mm512_set1_epi64(k1);
#pragma GCC unroll 2
    for (auto& x : c) {
      const __m512i p0 = _mm512_mul_epu32(x[0], m0), p1 = _mm512_mul_epu32(x[2], m1);
      // 0x96: the exclusive or of three.
      x[0] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), x[1], key0, 0x96);
      x[1] = p1;
      x[2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), x[3], key1, 0x96);
      x[3] = p0;
    }
  }
  for (int v = 0; v < 2; ++v) {
    const __m512i a = _mm512_mask_blend_epi32(0xAAAA, c[v][0], _mm512_slli_epi64(c[v][1], 32));
    const __m512i b = _mm512_mask_blend_epi32(0xAAAA, c[v][2], _mm512_slli_epi64(c[v][3], 32));
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
                  high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    _mm512_storeu_si512(words + 32 * v, _mm512_permutex2var_epi64(a, low, b));
    _mm512_storeu_si512(words + 32 * v + 16, _mm512_permutex2var_epi64(a, high, b));
  }
}

void words_avx2(uint64_t seed, uint64_t position, int64_t counter, uint32_t* words) {
  const __m256i p0 = _mm256_set1_epi64x(static_cast<int64_t>(position & 0xFFFFFFFF)),
                p1 = _mm256_set1_epi64x(static_cast<int64_t>(position >> 32));
  for (int half = 0; half < 2; ++half, counter += 8, words += 32) {
    const __m256i first = _mm256_add_epi64(_mm256_set1_epi64x(counter), _mm256_setr_epi64x(0, 1, 2, 3));
    const __m256i second = _mm256_add_epi64(first, _mm256_set1_epi64x(4));
    Lanes a{first, _mm256_srli_epi64(first, 32), p0, p1}, b{second, _mm256_srli_epi64(second, 32), p0, p1};
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, k0 += kWeyl0, k1 += kWeyl1) {
      const __m256i key0 = _mm256_set1_epi64x(k0), key1 = _mm256_set1_epi64x(k1);
      turn(a, key0, key1);
      turn(b, key0, key1);
    }
    put(a, words);
    put(b, words + 16);
  }
}

}  // namespace

void noise_words(uint64_t seed, int64_t position, int64_t first_token, std::span<uint32_t> words) {
  static const bool wide = available(Isa::avx512);
  for (size_t i = 0; i < words.size(); i += 64)
    (wide ? words_avx512 : words_avx2)(seed, static_cast<uint64_t>(position),
                                       (first_token + static_cast<int64_t>(i)) / 4, &words[i]);
}

uint32_t smallest_word_above(double value) {
  const double word = std::exp(-std::exp(-value)) * 0x1p32 - 4;
  return static_cast<uint32_t>(std::clamp(word, 0.0, 4294967290.0));
}

uint32_t word_bound(double value) {
  constexpr double kFirst = -4, kStepsPerUnit = 64;
  static const std::vector<uint32_t> bounds = [] {
    std::vector<uint32_t> made;
    for (double v = kFirst; v < kLargestGumbel; v += 1 / kStepsPerUnit)
      made.push_back(smallest_word_above(v));
    return made;
  }();
  const double step = (value - kFirst) * kStepsPerUnit;
  return step < 0 ? 0 : bounds[std::min(static_cast<size_t>(step), bounds.size() - 1)];
}

}  // namespace fathom::infer
