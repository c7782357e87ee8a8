#include "infer/sampler.h"

#include "kernels/cpu/intrinsics.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/error.h"
#include "infer/gumbel.h"
#include "kernels/cpu/simd_avx2.h"

namespace fathom::infer {
namespace {

size_t padded(int64_t vocab) {
  return (static_cast<size_t>(vocab) + kTokenBlock - 1) / kTokenBlock * kTokenBlock;
}

[[noreturn]] void not_finite() {
  throw Exception({"model",
                   {},
                   "the model computed logits that are no numbers",
                   "check the files with fathom info --check"});
}

// One bit a token of a block: words at least `smallest` of tokens that may come.
uint64_t promising(const uint32_t* words, const float* x, uint32_t smallest) {
  const __m256i least = _mm256_set1_epi32(static_cast<int>(smallest));
  const __m256 never = _mm256_set1_ps(kNever);
  uint64_t bits = 0;
  for (size_t i = 0; i < kTokenBlock; i += 8) {
    const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i));
    const __m256i enough = _mm256_cmpeq_epi32(_mm256_max_epu32(w, least), w);
    const __m256 may = _mm256_cmp_ps(_mm256_loadu_ps(x + i), never, _CMP_GT_OQ);
    const int eight = _mm256_movemask_ps(_mm256_and_ps(_mm256_castsi256_ps(enough), may));
    bits |= static_cast<uint64_t>(static_cast<uint32_t>(eight)) << i;
  }
  return bits;
}

// Makes the logits of a block whose bit is not set -inf.
void keep_bits(uint64_t bits, float* x) {
  const __m256i places = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256 never = _mm256_set1_ps(kNever);
  for (size_t i = 0; i < kTokenBlock; i += 8, bits >>= 8) {
    const __m256i eight = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits & 0xFF)), places);
    const __m256 kept = _mm256_castsi256_ps(_mm256_cmpeq_epi32(eight, places));
    _mm256_storeu_ps(x + i, _mm256_blendv_ps(never, _mm256_loadu_ps(x + i), kept));
  }
}

float largest_of_block(const float* x) {
  __m256 high = _mm256_loadu_ps(x);
  for (size_t i = 8; i < kTokenBlock; i += 8) high = _mm256_max_ps(high, _mm256_loadu_ps(x + i));
  return kernels::cpu::Avx2::largest(high);
}

}  // namespace

Sampler::Sampler(int64_t vocab)
    : vocab_(vocab), logits_(padded(vocab), kNever), weights_(padded(vocab)), finder_(vocab) {}

void Sampler::adjust(const Draw& d) {
  const SamplingParams& p = d.params;
  for (const LogitBias& b : p.logit_bias) logits_[static_cast<size_t>(b.token)] += b.value;
  if (!p.has_penalties()) return;
  for (int32_t token : d.history.seen()) {
    float& x = logits_[static_cast<size_t>(token)];
    const uint32_t count = d.history.count_in_answer(token);
    double y = x > 0 ? x / p.repetition_penalty : x * p.repetition_penalty;
    if (count > 0) y -= p.presence_penalty + p.frequency_penalty * count;
    x = static_cast<float>(y);
  }
}

void Sampler::mask(std::span<const uint64_t> allowed) {
  if (allowed.empty()) return;
  FATHOM_CHECK(allowed.size() == token_words(vocab_));
  for (size_t w = 0; w < allowed.size(); ++w) {
    float* x = &logits_[kTokenBlock * w];
    if (std::popcount(allowed[w]) > 56)
      for (uint64_t out = ~allowed[w]; out != 0; out &= out - 1) x[std::countr_zero(out)] = kNever;
    else
      keep_bits(allowed[w], x);
  }
}

// What top-k, top-p and min-p leave is a beginning of the order of likelihood each time.
void Sampler::keep_likely(const SamplingParams& p, LogitRange range) {
  Cut cut;
  if (p.top_k > 0 && p.top_k < vocab_) {
    cut = finder_.first_tokens(logits_, range, p.top_k);
    apply_cut(logits_, cut);
    range.least = cut.logit;
    range.count = std::min(range.count, p.top_k);
  }
  if (p.top_p < 1) {
    weights_of(logits_, range.largest, p.temperature, weights_);
    cut = finder_.reaching(logits_, weights_, range, p.top_p * sum_of(weights_));
  }
  if (p.min_p > 0) {
    const double least = static_cast<double>(range.largest) + std::log(p.min_p) * p.temperature;
    // The smallest float that is not below it.
    float bound = static_cast<float>(least);
    if (static_cast<double>(bound) < least) bound = std::nextafter(bound, std::numeric_limits<float>::max());
    bound = std::min(bound, range.largest);
    if (bound > cut.logit) cut = {.logit = bound};
  }
  apply_cut(logits_, cut);
}

double Sampler::score(const Draw& d, int32_t token, uint32_t word) const {
  return static_cast<double>(logits_[static_cast<size_t>(token)]) / d.params.temperature + gumbel_of(word);
}

// Tokens whose noise cannot lift them above the best so far are passed over without computing logarithms: the
// noise rises with its word, so one comparison of words decides.
int32_t Sampler::draw_from_kept(const Draw& d, int32_t best) const {
  const double t = d.params.temperature;
  double best_score = score(d, best, noise_word(d.params.seed, d.position, best));
  std::array<uint32_t, kTokenBlock> words;
  for (size_t first = 0; first < logits_.size(); first += kTokenBlock) {
    const float* x = &logits_[first];
    const float largest = largest_of_block(x);
    const double needed = best_score - static_cast<double>(largest) / t;
    if (largest == kNever || needed > kLargestGumbel) continue;
    noise_words(d.params.seed, d.position, static_cast<int64_t>(first), words);
    for (uint64_t bits = promising(words.data(), x, word_bound(needed)); bits != 0; bits &= bits - 1) {
      const size_t i = static_cast<size_t>(std::countr_zero(bits));
      const auto token = static_cast<int32_t>(first + i);
      const double s = score(d, token, words[i]);
      if (s > best_score || (s == best_score && token < best)) {
        best_score = s;
        best = token;
      }
    }
  }
  return best;
}

int32_t Sampler::draw(const Draw& d) {
  FATHOM_CHECK(static_cast<int64_t>(d.logits.size()) == vocab_);
  if (!copy_finite(d.logits, logits_)) not_finite();
  adjust(d);
  mask(d.existing);
  mask(d.constraint);
  const SamplingParams& p = d.params;
  const LogitRange range = range_of(logits_);
  if (range.best < 0)
    throw Exception({"request", "constraint", "no token may follow", "loosen the grammar or the logit bias"});
  if (p.temperature == 0) return range.best;
  if (p.top_k > 0 || p.top_p < 1 || p.min_p > 0) keep_likely(p, range);
  return draw_from_kept(d, range.best);
}

double Sampler::lead(const Draw& d, int32_t token) {
  const double t = d.params.temperature;
  const auto score_of = [&](int32_t x) {
    if (t == 0) return static_cast<double>(logits_[static_cast<size_t>(x)]);
    return t * score(d, x, noise_word(d.params.seed, d.position, x));
  };
  const double drawn = score_of(token);
  logits_[static_cast<size_t>(token)] = kNever;
  const LogitRange range = range_of(logits_);
  if (range.best < 0) return std::numeric_limits<double>::infinity();
  return drawn - score_of(t == 0 ? range.best : draw_from_kept(d, range.best));
}

}  // namespace fathom::infer
