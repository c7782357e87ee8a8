#include "infer/likely_tokens.h"

#include "kernels/cpu/intrinsics.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/cpu/simd_avx2.h"
#include "kernels/cpu/simd_math.h"

namespace fathom::infer {
namespace {

constexpr int64_t kFew = 256;  // candidates that are sorted instead of halved again

// Sums of a block's parts in FP32, eight values a lane, and of blocks in FP64: the order is fixed and the
// error that of a few roundings.
struct BlockSum {
  void add(__m256 block) {
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(block)),
                  high = _mm256_cvtps_pd(_mm256_extractf128_ps(block, 1));
    lanes = _mm256_add_pd(lanes, _mm256_add_pd(low, high));
  }
  double sum() const {
    alignas(32) double lane[4];
    _mm256_store_pd(lane, lanes);
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
  }
  __m256d lanes = _mm256_setzero_pd();
};

int64_t sum_of_lanes(__m256i counts) {
  alignas(32) int32_t lane[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane), counts);
  int64_t sum = 0;
  for (const int32_t c : lane) sum += c;
  return sum;
}

struct Ones {
  static __m256 at(size_t) { return _mm256_set1_ps(1); }
  static double of(int32_t) { return 1; }
};
struct Given {
  std::span<const float> values;
  __m256 at(size_t i) const { return _mm256_loadu_ps(&values[i]); }
  double of(int32_t token) const { return static_cast<double>(values[static_cast<size_t>(token)]); }
};

struct Share {
  double sum = 0;
  int64_t count = 0;
};

// Of the tokens with low < logit <= high.
template <class Weights>
Share share_between(std::span<const float> logits, float low, float high, const Weights& weights) {
  const __m256 a = _mm256_set1_ps(low), b = _mm256_set1_ps(high);
  BlockSum sum;
  __m256i count = _mm256_setzero_si256();
  for (size_t first = 0; first < logits.size(); first += kTokenBlock) {
    __m256 block = _mm256_setzero_ps();
    for (size_t i = first; i < first + kTokenBlock; i += 8) {
      const __m256 x = _mm256_loadu_ps(&logits[i]);
      const __m256 in = _mm256_and_ps(_mm256_cmp_ps(x, a, _CMP_GT_OQ), _mm256_cmp_ps(x, b, _CMP_LE_OQ));
      block = _mm256_add_ps(block, _mm256_and_ps(in, weights.at(i)));
      count = _mm256_sub_epi32(count, _mm256_castps_si256(in));
    }
    sum.add(block);
  }
  return {sum.sum(), sum_of_lanes(count)};
}

// One bit a token of a block: whether low < logit <= high.
uint64_t between(const float* x, float low, float high) {
  const __m256 a = _mm256_set1_ps(low), b = _mm256_set1_ps(high);
  uint64_t bits = 0;
  for (size_t i = 0; i < kTokenBlock; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    const __m256 in = _mm256_and_ps(_mm256_cmp_ps(v, a, _CMP_GT_OQ), _mm256_cmp_ps(v, b, _CMP_LE_OQ));
    bits |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_ps(in))) << i;
  }
  return bits;
}

// Calls visit(token) for the tokens with this logit, from the block of token `from` on.
template <class Visit>
void for_equals(std::span<const float> logits, float logit, int64_t from, Visit visit) {
  if (logit == kNever) return;
  const float below = std::nextafter(logit, kNever);
  for (size_t first = static_cast<size_t>(from) / kTokenBlock * kTokenBlock; first < logits.size();
       first += kTokenBlock)
    for (uint64_t bits = between(&logits[first], below, logit); bits != 0; bits &= bits - 1)
      visit(first + static_cast<size_t>(std::countr_zero(bits)));
}

}  // namespace

bool copy_finite(std::span<const float> from, std::span<float> to) {
  const __m256 most = _mm256_set1_ps(std::numeric_limits<float>::max()), sign = _mm256_set1_ps(-0.0f);
  __m256 good = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) {
    const __m256 x = _mm256_loadu_ps(&from[i]);
    good = _mm256_and_ps(good, _mm256_cmp_ps(_mm256_andnot_ps(sign, x), most, _CMP_LE_OQ));
    _mm256_storeu_ps(&to[i], x);
  }
  bool finite = _mm256_movemask_ps(good) == 0xFF;
  for (; i < from.size(); ++i) {
    to[i] = from[i];
    finite = finite && std::isfinite(from[i]);
  }
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(from.size()), to.end(), kNever);
  return finite;
}

LogitRange range_of(std::span<const float> logits) {
  const __m256 never = _mm256_set1_ps(kNever), huge = _mm256_set1_ps(std::numeric_limits<float>::infinity());
  __m256 least = huge;
  float largest = kNever;
  size_t best_block = 0;
  __m256i count = _mm256_setzero_si256();
  for (size_t first = 0; first < logits.size(); first += kTokenBlock) {
    __m256 high = never;
    for (size_t i = first; i < first + kTokenBlock; i += 8) {
      const __m256 x = _mm256_loadu_ps(&logits[i]);
      high = _mm256_max_ps(high, x);
      const __m256 may = _mm256_cmp_ps(x, never, _CMP_GT_OQ);
      least = _mm256_min_ps(least, _mm256_blendv_ps(huge, x, may));
      count = _mm256_sub_epi32(count, _mm256_castps_si256(may));
    }
    if (const float m = kernels::cpu::Avx2::largest(high); m > largest) {
      largest = m;
      best_block = first;
    }
  }
  if (largest == kNever) return {kNever, kNever, -1, 0};
  alignas(32) float lane[8];
  _mm256_store_ps(lane, least);
  const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(best_block);
  return {*std::min_element(lane, lane + 8), largest,
          static_cast<int32_t>(std::find(begin, logits.end(), largest) - logits.begin()),
          sum_of_lanes(count)};
}

void weights_of(std::span<const float> logits, float largest, double temperature, std::span<float> weights) {
  const __m256 shift = _mm256_set1_ps(largest), scale = _mm256_set1_ps(static_cast<float>(1 / temperature));
  for (size_t i = 0; i < logits.size(); i += 8) {
    const __m256 x = _mm256_loadu_ps(&logits[i]);
    const bool none = _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_set1_ps(kNever), _CMP_GT_OQ)) == 0;
    const __m256 exponent = _mm256_mul_ps(_mm256_sub_ps(x, shift), scale);
    _mm256_storeu_ps(&weights[i],
                     none ? _mm256_setzero_ps() : kernels::cpu::exp<kernels::cpu::Avx2>(exponent));
  }
}

double sum_of(std::span<const float> weights) {
  BlockSum sum;
  for (size_t first = 0; first < weights.size(); first += kTokenBlock) {
    __m256 block = _mm256_setzero_ps();
    for (size_t i = first; i < first + kTokenBlock; i += 8)
      block = _mm256_add_ps(block, _mm256_loadu_ps(&weights[i]));
    sum.add(block);
  }
  return sum.sum();
}

void apply_cut(std::span<float> logits, const Cut& cut) {
  const __m256 least = _mm256_set1_ps(cut.logit), never = _mm256_set1_ps(kNever);
  for (size_t i = 0; i < logits.size(); i += 8) {
    const __m256 x = _mm256_loadu_ps(&logits[i]);
    _mm256_storeu_ps(&logits[i], _mm256_blendv_ps(x, never, _mm256_cmp_ps(x, least, _CMP_LT_OQ)));
  }
  for_equals(logits, cut.logit, cut.token, [&](size_t t) {
    if (static_cast<int64_t>(t) > cut.token) logits[t] = kNever;
  });
}

// Halves the range of logits in which the cut lies until few tokens are left in it, and sorts those.
template <class Weights>
Cut CutFinder::find(std::span<const float> logits, const LogitRange& range, double goal,
                    const Weights& weights) {
  float low = std::nextafter(range.least, kNever), high = range.largest;
  double above = 0;  // of the tokens over `high`
  int64_t count = range.count;
  bool ties = false;
  while (count > kFew) {
    const float middle = 0.5f * low + 0.5f * high;
    ties = !(middle > low && middle < high);
    if (ties) break;
    const Share upper = share_between(logits, middle, high, weights);
    if (above + upper.sum >= goal) {
      low = middle;
      count = upper.count;
    } else {
      above += upper.sum;
      high = middle;
      count -= upper.count;
    }
  }
  size_t kept = 0;
  for (size_t first = 0; first < logits.size(); first += kTokenBlock)
    for (uint64_t bits = between(&logits[first], low, high); bits != 0; bits &= bits - 1) {
      const size_t t = first + static_cast<size_t>(std::countr_zero(bits));
      keys_[kept++] = {logits[t], static_cast<int32_t>(t)};
    }
  const std::span<Key> keys = std::span(keys_).first(kept);
  if (!ties)
    std::ranges::sort(keys, [](const Key& a, const Key& b) {
      return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
    });
  Cut cut;
  for (const Key& k : keys) {
    cut = {k.logit, k.token};
    above += weights.of(k.token);
    if (above >= goal) break;
  }
  return cut;
}

Cut CutFinder::first_tokens(std::span<const float> logits, const LogitRange& range, int64_t count) {
  return find(logits, range, static_cast<double>(count), Ones{});
}

Cut CutFinder::reaching(std::span<const float> logits, std::span<const float> weights,
                        const LogitRange& range, double goal) {
  return find(logits, range, goal, Given{weights});
}

}  // namespace fathom::infer
