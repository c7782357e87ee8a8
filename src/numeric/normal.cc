#include "numeric/normal.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fathom {
namespace {

constexpr int64_t kGroup = 64;  // elements of eight counters
constexpr int kQuantiles = 65536;

// Eight Philox4x32-10 counters side by side.
struct Counters {
  __m256i word[4];
};

// Both halves of eight 32-bit products.
inline void multiply(__m256i a, __m256i factor, __m256i& low, __m256i& high) {
  const __m256i even = _mm256_mul_epu32(a, factor);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), factor);
  low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
  high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

// philox() of base/rng.h for the counters first .. first + 7. REQUIRES: first is a multiple of 8, so that
// only the lowest three bits differ.
inline Counters philox_8(uint64_t key, uint64_t first, uint64_t stream) {
  const auto all = [](uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); };
  const __m256i m0 = all(0xD2511F53), m1 = all(0xCD9E8D57);
  __m256i c0 = _mm256_or_si256(all(static_cast<uint32_t>(first)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  __m256i c1 = all(static_cast<uint32_t>(first >> 32));
  __m256i c2 = all(static_cast<uint32_t>(stream)), c3 = all(static_cast<uint32_t>(stream >> 32));
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    __m256i low0, high0, low1, high1;
    multiply(c0, m0, low0, high0);
    multiply(c2, m1, low1, high1);
    c0 = _mm256_xor_si256(_mm256_xor_si256(high1, c1), all(k0));
    c2 = _mm256_xor_si256(_mm256_xor_si256(high0, c3), all(k1));
    c1 = low1;
    c3 = low0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

// The z with Phi(z) = p for p in [0.5, 1): Newton's method from a start below the root, where the
// distribution is concave and every step stays below it.
double quantile_above(double p, double start) {
  double z = start;
  for (int step = 0; step < 20; ++step) {
    const double missing = 0.5 * std::erfc(-z / std::numbers::sqrt2) - p;
    const double move = missing / (std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi));
    z -= move;
    if (std::fabs(move) < 1e-12) break;
  }
  return z;
}

}  // namespace

NormalSource::NormalSource() : quantiles_(kQuantiles) {
  double z = 0;
  for (int i = kQuantiles / 2; i < kQuantiles; ++i) {
    z = quantile_above((i + 0.5) / kQuantiles, z);
    quantiles_[static_cast<size_t>(i)] = static_cast<float>(z);
    quantiles_[static_cast<size_t>(kQuantiles - 1 - i)] = static_cast<float>(-z);
  }
}

void NormalSource::fill_group(uint64_t key, uint64_t stream, uint64_t group, float deviation,
                              float* out) const {
  const Counters counters = philox_8(key, group * 8, stream);
  const __m256 scale = _mm256_set1_ps(deviation);
  const __m256i low_half = _mm256_set1_epi32(0xFFFF);
  for (int j = 0; j < 8; ++j) {
    const __m256i word = counters.word[j / 2];
    const __m256i index = j % 2 == 0 ? _mm256_and_si256(word, low_half) : _mm256_srli_epi32(word, 16);
    const __m256 value = _mm256_i32gather_ps(quantiles_.data(), index, 4);
    _mm256_storeu_ps(out + j * 8, _mm256_mul_ps(value, scale));
  }
}

void NormalSource::fill(uint64_t key, uint64_t stream, uint64_t first, int64_t count, float deviation,
                        float* out) const {
  while (count > 0) {
    const int64_t skip = static_cast<int64_t>(first % kGroup);
    if (skip == 0 && count >= kGroup) {
      fill_group(key, stream, first / kGroup, deviation, out);
      first += kGroup, out += kGroup, count -= kGroup;
      continue;
    }
    float group[kGroup];
    fill_group(key, stream, first / kGroup, deviation, group);
    const int64_t taken = std::min(count, kGroup - skip);
    std::copy_n(group + skip, taken, out);
    first += static_cast<uint64_t>(taken), out += taken, count -= taken;
  }
}

}  // namespace fathom
