#include "infer/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "infer/gumbel.h"

namespace fathom::infer {
namespace {

struct Case {
  const char* name;
  SamplingParams params;
  std::vector<int32_t> prompt, answer;
  std::vector<int32_t> banned;
};

// Logits of 24 tokens with ties, tokens of every rank, and both signs.
std::vector<float> test_logits() {
  std::vector<float> x(24);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 1.5f * std::sin(static_cast<float>(i) * 2.7f);
  x[5] = x[9] = 1.25f;
  x[3] = 2.0f;
  return x;
}

enum class Stage { bias, penalties, mask, temperature, top_k, top_p, min_p };
constexpr Stage kRightOrder[] = {Stage::bias,  Stage::penalties, Stage::mask, Stage::temperature,
                                 Stage::top_k, Stage::top_p,     Stage::min_p};

// The distribution that the settings define, written down once more in the plainest way: stage after stage on
// a list of tokens that is sorted and cut. FP32 where the sampler compares FP32.
class Plain {
 public:
  Plain(const std::vector<float>& logits, const Case& c)
      : c_(c), p_(c.params), x_(logits.begin(), logits.end()) {
    left_.resize(x_.size());
    std::iota(left_.begin(), left_.end(), size_t{0});
  }
  void apply(Stage stage) {
    std::ranges::stable_sort(
        left_, [&](size_t a, size_t b) { return static_cast<float>(x_[a]) > static_cast<float>(x_[b]); });
    switch (stage) {
      case Stage::bias:
        for (const LogitBias& b : p_.logit_bias) x_[static_cast<size_t>(b.token)] += b.value;
        break;
      case Stage::penalties:
        penalise();
        break;
      case Stage::mask:
        std::erase_if(left_,
                      [&](size_t t) { return std::ranges::count(c_.banned, static_cast<int32_t>(t)) > 0; });
        break;
      case Stage::temperature:
        for (double& x : x_) x /= p_.temperature;
        break;
      case Stage::top_k:
        if (p_.top_k > 0) left_.resize(std::min(left_.size(), static_cast<size_t>(p_.top_k)));
        break;
      case Stage::top_p:
        if (p_.top_p < 1) cut_top_p();
        break;
      case Stage::min_p:
        std::erase_if(left_,
                      [&, best = x_[left_[0]]](size_t t) { return std::exp(x_[t] - best) < p_.min_p; });
        break;
    }
  }
  std::vector<double> probabilities() const {
    std::vector<double> out(x_.size(), 0);
    double total = 0;
    for (size_t t : left_) total += std::exp(x_[t]);
    for (size_t t : left_) out[t] = std::exp(x_[t]) / total;
    return out;
  }

 private:
  void penalise() {
    for (size_t t = 0; t < x_.size(); ++t) {
      const auto id = static_cast<int32_t>(t);
      const auto in_answer = std::ranges::count(c_.answer, id);
      if (in_answer > 0 || std::ranges::count(c_.prompt, id) > 0)
        x_[t] = x_[t] > 0 ? x_[t] / p_.repetition_penalty : x_[t] * p_.repetition_penalty;
      x_[t] -=
          (in_answer > 0 ? p_.presence_penalty : 0) + p_.frequency_penalty * static_cast<double>(in_answer);
    }
  }
  void cut_top_p() {
    double total = 0, sum = 0;
    for (size_t t : left_) total += std::exp(x_[t]);
    size_t kept = 0;
    while (kept < left_.size() && (kept == 0 || sum < p_.top_p * total)) sum += std::exp(x_[left_[kept++]]);
    left_.resize(kept);
  }

  const Case& c_;
  const SamplingParams& p_;
  std::vector<double> x_;
  std::vector<size_t> left_;
};

std::vector<double> exact(const std::vector<float>& logits, const Case& c,
                          std::span<const Stage> order = kRightOrder) {
  Plain plain(logits, c);
  for (const Stage stage : order) plain.apply(stage);
  return plain.probabilities();
}

std::vector<int64_t> histogram(const std::vector<float>& logits, const Case& c, int64_t draws) {
  const auto vocab = static_cast<int64_t>(logits.size());
  TokenHistory history(vocab, c.prompt, 100);
  for (int32_t t : c.answer) history.add(t);
  TokenBits allowed;
  if (!c.banned.empty()) allowed.assign(token_words(vocab), ~uint64_t{0});
  for (int32_t t : c.banned) allowed[0] &= ~(uint64_t{1} << t);
  Sampler sampler(vocab);
  SamplingParams params = c.params;
  std::vector<int64_t> counts(logits.size(), 0);
  for (int64_t i = 0; i < draws; ++i) {
    params.seed = static_cast<uint64_t>(i / 16);
    ++counts[static_cast<size_t>(sampler.draw({.logits = logits,
                                               .params = params,
                                               .history = history,
                                               .existing = {},
                                               .constraint = allowed,
                                               .position = i % 16}))];
  }
  return counts;
}

// Pearson's statistic over the tokens with enough weight, as standard deviations above its mean; infinite
// when a token without weight came.
double chi_square_z(const std::vector<int64_t>& counts, const std::vector<double>& p, int64_t draws) {
  double statistic = 0, rest_p = 1, rest_n = static_cast<double>(draws);
  int cells = 0;
  for (size_t t = 0; t < p.size(); ++t) {
    if (p[t] == 0 && counts[t] > 0) return std::numeric_limits<double>::infinity();
    const double expected = p[t] * static_cast<double>(draws), n = static_cast<double>(counts[t]);
    if (expected < 10) continue;
    statistic += (n - expected) * (n - expected) / expected;
    rest_p -= p[t];
    rest_n -= n;
    ++cells;
  }
  if (rest_p * static_cast<double>(draws) > 10) {
    const double expected = rest_p * static_cast<double>(draws);
    statistic += (rest_n - expected) * (rest_n - expected) / expected;
    ++cells;
  }
  return cells < 2 ? 0 : (statistic - (cells - 1)) / std::sqrt(2.0 * (cells - 1));
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      {.name = "plain", .params = {}, .prompt = {}, .answer = {}, .banned = {}},
      {.name = "cold", .params = {.temperature = 0.6}, .prompt = {}, .answer = {}, .banned = {}},
      {.name = "hot", .params = {.temperature = 2.5}, .prompt = {}, .answer = {}, .banned = {}},
      {.name = "top_k", .params = {.top_k = 6}, .prompt = {}, .answer = {}, .banned = {}},
      {.name = "top_p", .params = {.top_p = 0.7}, .prompt = {}, .answer = {}, .banned = {}},
      {.name = "min_p", .params = {.min_p = 0.3}, .prompt = {}, .answer = {}, .banned = {}},
      {.name = "masked", .params = {}, .prompt = {}, .answer = {}, .banned = {3, 7}},
  };
  const auto penalties = [](SamplingParams p) {
    p.repetition_penalty = 1.4;
    p.presence_penalty = 0.5;
    p.frequency_penalty = 0.25;
    p.logit_bias = {{3, -1.5f}, {11, 2.0f}};
    return p;
  };
  const std::vector<int32_t> prompt = {3, 4, 4, 20}, answer = {5, 11, 11, 2};
  all.push_back({"penalties", penalties({}), prompt, answer, {}});
  // Temperature before top-p, bias before penalties, mask before top-k: other orders keep other tokens here.
  all.push_back({"order",
                 penalties({.temperature = 1.7, .top_k = 9, .top_p = 0.8, .min_p = 0.35}),
                 prompt,
                 answer,
                 {3, 9}});
  all.push_back({"penalties, hot", penalties({.temperature = 2}), prompt, answer, {}});
  all.push_back({"top_p and min_p", {.top_p = 0.7, .min_p = 0.3}, {}, {}, {}});
  all.push_back({"top_k and top_p", {.temperature = 0.8, .top_k = 8, .top_p = 0.75}, {}, {}, {}});
  return all;
}

TEST(Sampler, DrawsFromTheExactDistribution) {
  constexpr int64_t kDraws = 60000;
  const std::vector<float> logits = test_logits();
  for (const Case& c : cases())
    EXPECT_LT(chi_square_z(histogram(logits, c, kDraws), exact(logits, c), kDraws), 5) << c.name;
}

// The bound above is sharp enough to see every order but the right one that can make a difference.
TEST(Sampler, AWrongOrderWouldBeSeen) {
  constexpr int64_t kDraws = 60000;
  const std::vector<float> logits = test_logits();
  using enum Stage;
  const std::vector<std::pair<const char*, std::vector<Stage>>> wrong = {
      {"penalties before bias", {penalties, bias, mask, temperature, top_k, top_p, min_p}},
      {"top-k before bias", {penalties, mask, temperature, top_k, bias, top_p, min_p}},
      {"top-k before penalties", {bias, mask, temperature, top_k, penalties, top_p, min_p}},
      {"mask after top-k", {bias, penalties, temperature, top_k, mask, top_p, min_p}},
      {"mask after top-p", {bias, penalties, temperature, top_k, top_p, mask, min_p}},
      {"penalties after temperature", {bias, mask, temperature, penalties, top_k, top_p, min_p}},
      {"temperature after top-p", {bias, penalties, mask, top_k, top_p, temperature, min_p}},
      {"temperature last", {bias, penalties, mask, top_k, top_p, min_p, temperature}},
      {"top-p before top-k", {bias, penalties, mask, temperature, top_p, top_k, min_p}},
      {"min-p before top-p", {bias, penalties, mask, temperature, top_k, min_p, top_p}},
  };
  std::vector<std::vector<int64_t>> counts;
  for (const Case& c : cases()) counts.push_back(histogram(logits, c, kDraws));
  for (const auto& [name, order] : wrong) {
    double worst = 0;
    for (size_t i = 0; i < counts.size(); ++i)
      worst = std::max(worst, chi_square_z(counts[i], exact(logits, cases()[i], order), kDraws));
    EXPECT_GT(worst, 5) << name;
  }
}

// Passing over tokens whose noise cannot win must not change who wins.
TEST(Sampler, SkippingChangesNothing) {
  const int64_t vocab = 1000;
  std::vector<float> logits(static_cast<size_t>(vocab));
  for (int64_t t = 0; t < vocab; ++t)
    logits[static_cast<size_t>(t)] =
        static_cast<float>(philox(5, static_cast<uint64_t>(t), 0)[0]) * 0x1p-32f * 12;
  Sampler sampler(vocab);
  SamplingParams params;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    params.seed = seed;
    params.temperature = 0.3 + 0.01 * static_cast<double>(seed);
    int32_t best = 0;
    double best_score = -1e30;
    for (int32_t t = 0; t < vocab; ++t) {
      const double s =
          logits[static_cast<size_t>(t)] / params.temperature + gumbel_of(noise_word(seed, 17, t));
      if (s > best_score) best_score = s, best = t;
    }
    ASSERT_EQ(sampler.draw({.logits = logits,
                            .params = params,
                            .history = {},
                            .existing = {},
                            .constraint = {},
                            .position = 17}),
              best);
  }
}

// The lead is that of the drawn token over all that could have been drawn instead, in logits.
TEST(Sampler, LeadIsTheDistanceToTheNextScore) {
  const std::vector<float> logits = test_logits();
  Sampler sampler(24);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SamplingParams params{.temperature = seed % 4 == 0 ? 0 : 0.5 * static_cast<double>(seed % 4),
                          .seed = seed};
    params.logit_bias = {{.token = 3, .value = -100}};
    std::vector<double> scores;
    for (int32_t t = 0; t < 24; ++t) {
      if (t == 3) continue;
      const double noise = params.temperature == 0 ? 0 : gumbel_of(noise_word(seed, 9, t));
      scores.push_back(logits[static_cast<size_t>(t)] + params.temperature * noise);
    }
    std::ranges::sort(scores, std::greater());
    const Draw d = {
        .logits = logits, .params = params, .history = {}, .existing = {}, .constraint = {}, .position = 9};
    const int32_t token = sampler.draw(d);
    ASSERT_NEAR(sampler.lead(d, token), scores[0] - scores[1], 1e-5) << seed;
  }
  const std::vector<uint64_t> one = {1u << 5};
  const SamplingParams params;
  const Draw d = {
      .logits = logits, .params = params, .history = {}, .existing = one, .constraint = {}, .position = 9};
  EXPECT_EQ(sampler.draw(d), 5);
  EXPECT_EQ(sampler.lead(d, 5), std::numeric_limits<double>::infinity());
}

// Cuts decide which tokens are left, never which noise they get.
TEST(Sampler, CutsThatKeepEverythingChangeNothing) {
  const std::vector<float> logits = test_logits();
  Sampler sampler(24);
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SamplingParams plain{.seed = seed}, cut{.top_k = 24, .top_p = 0.999999, .seed = seed};
    const auto draw = [&](const SamplingParams& p) {
      return sampler.draw(
          {.logits = logits, .params = p, .history = {}, .existing = {}, .constraint = {}, .position = 3});
    };
    ASSERT_EQ(draw(plain), draw(cut));
  }
}

TEST(Sampler, GreedyTakesTheLowestIdOfEquals) {
  std::vector<float> logits(200, 0.0f);
  logits[70] = logits[130] = 3;
  Sampler sampler(200);
  const SamplingParams greedy{.temperature = 0};
  const auto draw = [&](std::span<const uint64_t> existing) {
    return sampler.draw({.logits = logits,
                         .params = greedy,
                         .history = {},
                         .existing = existing,
                         .constraint = {},
                         .position = 0});
  };
  EXPECT_EQ(draw({}), 70);
  TokenBits bits(token_words(200), ~uint64_t{0});
  bits[1] &= ~(uint64_t{1} << 6);
  EXPECT_EQ(draw(bits), 130);
}

TEST(Sampler, RefusesWhatHasNoAnswer) {
  Sampler sampler(100);
  std::vector<float> logits(100, 0.0f);
  const SamplingParams p;
  const TokenBits none(token_words(100), 0);
  const auto draw = [&](std::span<const uint64_t> constraint) {
    return sampler.draw({.logits = logits,
                         .params = p,
                         .history = {},
                         .existing = {},
                         .constraint = constraint,
                         .position = 0});
  };
  EXPECT_THROW(draw(none), Exception);
  logits[50] = NAN;
  EXPECT_THROW(draw({}), Exception);
  logits[50] = INFINITY;
  EXPECT_THROW(draw({}), Exception);
}

TEST(SamplingParams, RangesAreChecked) {
  const auto ok = [](SamplingParams p) { return static_cast<bool>(check_sampling(p, 100, "request")); };
  EXPECT_TRUE(ok({}));
  EXPECT_FALSE(ok({.temperature = -0.1}));
  EXPECT_FALSE(ok({.temperature = NAN}));
  EXPECT_FALSE(ok({.top_k = -1}));
  EXPECT_FALSE(ok({.top_p = 1.1}));
  EXPECT_FALSE(ok({.min_p = -1}));
  EXPECT_FALSE(ok({.repetition_penalty = 0}));
  EXPECT_FALSE(ok({.logit_bias = {{100, 0.f}}}));
  EXPECT_FALSE(ok({.logit_bias = {{1, NAN}}}));
}

}  // namespace
}  // namespace fathom::infer
