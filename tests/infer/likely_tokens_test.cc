#include "infer/likely_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rng.h"

namespace fathom::infer {
namespace {

struct Shape {
  const char* name;
  float spread;
  int64_t levels;  // different values; 0: as many as there are
  bool outlier;
};

constexpr size_t kVocab = 5000;

std::vector<float> logits_of(const Shape& s) {
  std::vector<float> x((kVocab + 63) / 64 * 64, kNever);
  for (size_t t = 0; t < kVocab; ++t) {
    const uint32_t word = philox(3, t, 1)[0];
    const double unit = s.levels > 0 ? static_cast<double>(word % static_cast<uint32_t>(s.levels)) /
                                           static_cast<double>(s.levels)
                                     : word * 0x1p-32;
    x[t] = static_cast<float>((unit - 0.5) * s.spread);
  }
  for (size_t t = 7; t < kVocab; t += 13) x[t] = kNever;
  if (s.outlier) x[4321] = 100;
  return x;
}

std::vector<size_t> sorted(const std::vector<float>& x) {
  std::vector<size_t> order;
  for (size_t t = 0; t < x.size(); ++t)
    if (x[t] != kNever) order.push_back(t);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return x[a] > x[b]; });
  return order;
}

const Shape kShapes[] = {{"wide", 40, 0, false},
                         {"flat", 0.01f, 0, false},
                         {"equal", 0, 1, false},
                         {"ties", 6, 5, false},
                         {"outlier", 4, 0, true}};

TEST(LikelyTokens, CutsEqualASortedList) {
  CutFinder finder(kVocab);
  for (const Shape& s : kShapes) {
    const std::vector<float> x = logits_of(s);
    const std::vector<size_t> order = sorted(x);
    const LogitRange range = range_of(x);
    ASSERT_EQ(range.best, static_cast<int32_t>(order[0])) << s.name;
    ASSERT_EQ(range.least, x[order.back()]) << s.name;
    std::vector<float> w(x.size());
    weights_of(x, range.largest, 1.3, w);
    std::vector<double> sums;
    double sum = 0;
    for (size_t t : order) sums.push_back(sum += static_cast<double>(w[t]));
    for (const size_t rank : {size_t{0}, size_t{1}, size_t{5}, size_t{300}, size_t{2000}, order.size() - 1}) {
      const Cut cut = finder.first_tokens(x, range, static_cast<int64_t>(rank) + 1);
      EXPECT_EQ(cut.token, static_cast<int32_t>(order[rank])) << s.name << " " << rank;
      std::vector<float> kept = x, kept_weights(x.size());
      apply_cut(kept, cut);
      weights_of(kept, range.largest, 1.3, kept_weights);
      EXPECT_NEAR(sum_of(kept_weights), sums[rank], 1e-6 * sums[rank]) << s.name;
      for (size_t r = 0; r < order.size(); ++r) ASSERT_EQ(kept[order[r]], r <= rank ? x[order[r]] : kNever);
      // Half a weight before the sum, so that no rounding decides; a weight that vanishes decides nothing.
      const double last = static_cast<double>(w[order[rank]]);
      if (last < 1e-4 * sums[rank]) continue;
      EXPECT_EQ(finder.reaching(x, w, range, sums[rank] - last / 2).token, static_cast<int32_t>(order[rank]))
          << s.name << " " << rank;
    }
    EXPECT_EQ(finder.first_tokens(x, range, 100000).token, static_cast<int32_t>(order.back())) << s.name;
    EXPECT_EQ(finder.reaching(x, w, range, 1e9).token, static_cast<int32_t>(order.back())) << s.name;
  }
}

TEST(LikelyTokens, WeightsAreExponentials) {
  const std::vector<float> x = logits_of(kShapes[0]);
  const LogitRange range = range_of(x);
  std::vector<float> w(x.size());
  weights_of(x, range.largest, 0.7, w);
  for (size_t t = 0; t < x.size(); ++t) {
    const double exact = std::exp((static_cast<double>(x[t]) - static_cast<double>(range.largest)) / 0.7);
    // The exponent is rounded to FP32: 60 * 2^-24, twice.
    ASSERT_NEAR(w[t], exact, 1e-5 * exact + 1e-38) << x[t];
  }
}

TEST(LikelyTokens, SeesWhatIsNotFinite) {
  std::vector<float> to(128);
  for (const size_t size : {size_t{64}, size_t{71}, size_t{100}})
    for (const size_t at : {size_t{0}, size_t{63}, size - 1})
      for (const float bad : {NAN, INFINITY, -INFINITY}) {
        std::vector<float> from(size, 1.0f);
        EXPECT_TRUE(copy_finite(from, to));
        EXPECT_EQ(to[size - 1], 1.0f);
        EXPECT_EQ(to[size], kNever);
        from[at] = bad;
        EXPECT_FALSE(copy_finite(from, to)) << size << " " << at;
      }
  EXPECT_EQ(range_of(std::vector<float>(64, kNever)).best, -1);
}

}  // namespace
}  // namespace fathom::infer
