// Time of one draw at V3's vocabulary, setting by setting, on logits as a trained model has them and on flat
// ones: sampler_bench [--json]
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "eval/median.h"
#include "infer/sampler.h"

namespace fathom::infer {
namespace {

constexpr int64_t kVocab = 129280, kSeen = 4000;

struct Setting {
  const char* name;
  SamplingParams params;
  bool masks;
};

// Sums of uniform numbers; a trained model's have a long upper end besides.
std::vector<float> logits_of(double spread, bool peaks) {
  std::vector<float> x(static_cast<size_t>(kVocab));
  for (size_t t = 0; t < x.size(); ++t) {
    double sum = -2;
    for (const uint32_t word : philox(1, t, 0)) sum += word * 0x1p-32;
    x[t] = static_cast<float>(sum * spread);
    if (peaks && t % 997 == 0) x[t] += static_cast<float>(8 + static_cast<double>(t % 11));
  }
  return x;
}

std::vector<Setting> settings() {
  const SamplingParams penalties{
      .repetition_penalty = 1.1, .presence_penalty = 0.3, .frequency_penalty = 0.2};
  SamplingParams all = penalties;
  all.top_k = 1000;
  all.top_p = 0.95;
  all.min_p = 0.01;
  for (int32_t t = 0; t < 300; ++t) all.logit_bias.push_back({t * 400, t % 2 == 0 ? -1.0f : 1.0f});
  return {{"greedy", {.temperature = 0}, false},
          {"temperature 1", {}, false},
          {"temperature 1.5", {.temperature = 1.5}, false},
          {"top-k 40", {.top_k = 40}, false},
          {"top-p 0.95", {.top_p = 0.95}, false},
          {"min-p 0.05", {.min_p = 0.05}, false},
          {"penalties", penalties, false},
          {"masks", {}, true},
          {"everything", all, true}};
}

double microseconds(Sampler& sampler, const std::vector<float>& logits, const Setting& s) {
  std::vector<int32_t> prompt;
  for (int64_t i = 0; i < kSeen; ++i) prompt.push_back(static_cast<int32_t>(i * 31 % kVocab));
  TokenHistory history(kVocab, prompt, 0);
  TokenBits existing(token_words(kVocab), ~uint64_t{0}), constraint = existing;
  for (size_t w = 2000; w < existing.size(); ++w) existing[w] = 0;
  for (size_t w = 0; w < constraint.size(); ++w)
    constraint[w] = w % 2 == 0 ? 0xFFFF0F0F00FF00FF : philox(2, w, 0)[0];
  SamplingParams params = s.params;
  std::vector<double> times;
  for (int64_t i = 0; i < 200; ++i) {
    params.seed = static_cast<uint64_t>(i);
    const Stopwatch clock;
    sampler.draw({.logits = logits,
                  .params = params,
                  .history = history,
                  .existing = s.masks ? std::span<const uint64_t>(existing) : std::span<const uint64_t>(),
                  .constraint = s.masks ? std::span<const uint64_t>(constraint) : std::span<const uint64_t>(),
                  .position = i});
    times.push_back(clock.seconds() * 1e6);
  }
  return eval::median(times);
}

}  // namespace

int run(bool json) {
  Sampler sampler(kVocab);
  const std::vector<float> trained = logits_of(6, true), flat = logits_of(1, false);
  if (!json)
    std::printf("%-18s %12s %12s   microseconds a draw, vocabulary %ld\n", "", "trained", "flat",
                static_cast<long>(kVocab));
  for (const Setting& s : settings()) {
    const double a = microseconds(sampler, trained, s), b = microseconds(sampler, flat, s);
    std::printf(
        json ? "{\"setting\": \"%s\", \"trained_us\": %.1f, \"flat_us\": %.1f}\n" : "%-18s %12.1f %12.1f\n",
        s.name, a, b);
  }
  return 0;
}

}  // namespace fathom::infer

int main(int argc, char** argv) {
  return fathom::infer::run(argc > 1 && std::strcmp(argv[1], "--json") == 0);
}
