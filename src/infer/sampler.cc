#include "infer/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/error.h"
#include "infer/gumbel.h"

namespace fathom::infer {
namespace {

constexpr int64_t kNoiseBlock = 64;
constexpr float kNever = -std::numeric_limits<float>::infinity();

int64_t padded(int64_t vocab) { return (vocab + kNoiseBlock - 1) / kNoiseBlock * kNoiseBlock; }

void require_finite(std::span<const float> logits) {
  bool finite = true;
  for (float x : logits) finite &= std::abs(x) <= std::numeric_limits<float>::max();
  if (!finite)
    throw Exception({"model",
                     {},
                     "the model computed logits that are no numbers",
                     "check the files with fathom info --check"});
}

}  // namespace

Sampler::Sampler(int64_t vocab)
    : vocab_(vocab),
      logits_(static_cast<size_t>(padded(vocab)), kNever),
      candidates_(static_cast<size_t>(vocab)) {}

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
    if (allowed[w] == ~uint64_t{0}) continue;
    const size_t end = std::min(static_cast<size_t>(vocab_), 64 * (w + 1));
    for (size_t t = 64 * w; t < end; ++t)
      if ((allowed[w] >> (t % 64) & 1) == 0) logits_[t] = kNever;
  }
}

int32_t Sampler::most_likely() const {
  float largest = kNever;
  for (float x : logits_) largest = std::max(largest, x);
  if (largest == kNever)
    throw Exception({"request", "constraint", "no token may follow", "loosen the grammar or the logit bias"});
  return static_cast<int32_t>(std::find(logits_.begin(), logits_.end(), largest) - logits_.begin());
}

// Tokens whose noise cannot lift them above the best so far are passed over without computing logarithms: the
// noise rises with its word, so one comparison of words decides.
int32_t Sampler::draw_from_all(const Draw& d, int32_t best) const {
  const double t = d.params.temperature;
  const auto score = [&](int64_t token, uint32_t word) {
    return static_cast<double>(logits_[static_cast<size_t>(token)]) / t + gumbel_of(word);
  };
  double best_score = score(best, noise_word(d.params.seed, d.position, best));
  std::array<uint32_t, kNoiseBlock> words;
  for (int64_t first = 0; first < static_cast<int64_t>(logits_.size()); first += kNoiseBlock) {
    const float* x = &logits_[static_cast<size_t>(first)];
    const float largest = *std::max_element(x, x + kNoiseBlock);
    const double needed = best_score - static_cast<double>(largest) / t;
    if (largest == kNever || needed > kLargestGumbel) continue;
    noise_words(d.params.seed, d.position, first, words);
    const uint32_t smallest = smallest_word_above(needed);
    for (int64_t i = 0; i < kNoiseBlock; ++i) {
      if (words[static_cast<size_t>(i)] < smallest || x[i] == kNever) continue;
      const double s = score(first + i, words[static_cast<size_t>(i)]);
      if (s > best_score || (s == best_score && first + i < best)) {
        best_score = s;
        best = static_cast<int32_t>(first + i);
      }
    }
  }
  return best;
}

// Makes candidates_ the tokens with at least this logit.
void Sampler::gather(float least) {
  kept_ = 0;
  for (int64_t t = 0; t < vocab_; ++t)
    if (const float x = logits_[static_cast<size_t>(t)]; x != kNever && x >= least)
      candidates_[kept_++] = {x, static_cast<int32_t>(t)};
}

double Sampler::weight(const SamplingParams& p, float logit, float largest) {
  return std::exp((logit - largest) / static_cast<float>(p.temperature));
}

// Fills candidates_ with what top-k and top-p leave. Most often the few tokens near the best suffice to know;
// else all are looked at.
void Sampler::collect(const SamplingParams& p, float largest) {
  constexpr float kNear = 8;
  double total = 0;
  if (p.top_k <= 0 && p.top_p < 1)
    for (float x : logits_) total += weight(p, x, largest);
  gather(largest - kNear * static_cast<float>(p.temperature));
  if (p.top_k > 0) {
    if (static_cast<int64_t>(kept_) < p.top_k) gather(kNever);
    keep_top_k(p.top_k);
    for (size_t i = 0; i < kept_; ++i) total += weight(p, candidates_[i].logit, largest);
  } else {
    double near = 0;
    for (size_t i = 0; i < kept_; ++i) near += weight(p, candidates_[i].logit, largest);
    if (p.top_p >= 1 || near < p.top_p * total) gather(kNever);
  }
  if (p.top_p < 1) keep_top_p(p, largest, total);
}

void Sampler::keep_top_k(int64_t k) {
  if (k >= static_cast<int64_t>(kept_)) return;
  const auto begin = candidates_.begin();
  std::nth_element(begin, begin + k, begin + static_cast<std::ptrdiff_t>(kept_), before);
  kept_ = static_cast<size_t>(k);
}

// Keeps the fewest most likely candidates whose probabilities reach top_p, at least one: halves the range in
// which the last of them lies, so that nothing is sorted.
void Sampler::keep_top_p(const SamplingParams& p, float largest, double total) {
  const auto at = [this](size_t i) { return candidates_.begin() + static_cast<std::ptrdiff_t>(i); };
  size_t low = 0, high = kept_;  // candidates before low are kept, those from high on are not
  double missing = p.top_p * total;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    std::nth_element(at(low), at(middle), at(high), before);
    double sum = 0;
    for (size_t i = low; i < middle; ++i) sum += weight(p, candidates_[i].logit, largest);
    if (sum >= missing) {
      high = middle;
    } else {
      missing -= sum;
      low = middle;
    }
  }
  kept_ = high;
}

int32_t Sampler::draw_from_candidates(const Draw& d) const {
  int32_t best = -1;
  double best_score = 0;
  for (size_t i = 0; i < kept_; ++i) {
    const Candidate& c = candidates_[i];
    const double s = static_cast<double>(c.logit) / d.params.temperature +
                     gumbel_of(noise_word(d.params.seed, d.position, c.token));
    if (best < 0 || s > best_score || (s == best_score && c.token < best)) {
      best_score = s;
      best = c.token;
    }
  }
  return best;
}

int32_t Sampler::draw(const Draw& d) {
  FATHOM_CHECK(static_cast<int64_t>(d.logits.size()) == vocab_);
  require_finite(d.logits);
  std::copy(d.logits.begin(), d.logits.end(), logits_.begin());
  adjust(d);
  mask(d.existing);
  mask(d.constraint);
  const SamplingParams& p = d.params;
  const int32_t top = most_likely();
  if (p.temperature == 0) return top;
  if (p.top_k <= 0 && p.top_p >= 1 && p.min_p <= 0) return draw_from_all(d, top);
  const float largest = logits_[static_cast<size_t>(top)];
  collect(p, largest);
  if (p.min_p > 0) {
    const double least = largest + std::log(p.min_p) * p.temperature;
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(kept_);
    kept_ = static_cast<size_t>(
        std::remove_if(candidates_.begin(), end, [&](const Candidate& c) { return c.logit < least; }) -
        candidates_.begin());
  }
  return draw_from_candidates(d);
}

}  // namespace fathom::infer
