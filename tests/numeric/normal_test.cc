#include "numeric/normal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace fathom {
namespace {

std::vector<float> elements(const NormalSource& source, uint64_t key, uint64_t stream, uint64_t first,
                            int64_t count) {
  std::vector<float> out(static_cast<size_t>(count));
  source.fill(key, stream, first, count, 1.0f, out.data());
  return out;
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

TEST(NormalSource, FollowsItsDefinition) {
  const NormalSource source;
  const uint64_t key = 0x0123456789ABCDEF, stream = 0xFEDCBA9876543210;
  // The second start needs the upper half of the counter.
  for (const uint64_t first : {uint64_t{0}, (uint64_t{5} << 40) + 64 * 3}) {
    const std::vector<float> got = elements(source, key, stream, first, 128);
    for (uint64_t i = 0; i < 128; ++i) {
      const uint64_t e = first + i, j = e % 64 / 8;
      const uint32_t word = philox(key, e / 64 * 8 + e % 8, stream)[j / 2];
      const uint32_t uniform = j % 2 == 0 ? word & 0xFFFF : word >> 16;
      ASSERT_NEAR(normal_cdf(got[i]), (uniform + 0.5) / 65536, 1e-7) << e;
    }
  }
}

TEST(NormalSource, ValuesDependOnTheIndexAlone) {
  const NormalSource source;
  const std::vector<float> whole = elements(source, 1, 2, 0, 1000);
  for (const uint64_t first : {0u, 1u, 63u, 64u, 65u, 500u})
    for (const int64_t count : {1, 7, 64, 65, 300}) {
      const std::vector<float> part = elements(source, 1, 2, first, count);
      for (size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part[i], whole[first + i]) << first << " + " << i;
    }
  EXPECT_NE(elements(source, 1, 3, 0, 100), elements(source, 1, 2, 0, 100));
  EXPECT_NE(elements(source, 2, 2, 0, 100), elements(source, 1, 2, 0, 100));
}

TEST(NormalSource, HasTheMomentsOfANormalDistribution) {
  const NormalSource source;
  constexpr int64_t kCount = 1 << 20;
  const std::vector<float> values = elements(source, 3, 4, 0, kCount);
  double sum = 0, squares = 0, fourth = 0, neighbours = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double v = values[i];
    sum += v, squares += v * v, fourth += v * v * v * v;
    if (i > 0) neighbours += v * values[i - 1];
  }
  // Four standard errors each.
  EXPECT_NEAR(sum / kCount, 0, 4.0 / 1024);
  EXPECT_NEAR(squares / kCount, 1, 4.0 * std::sqrt(2.0) / 1024);
  EXPECT_NEAR(fourth / kCount, 3, 4.0 * std::sqrt(96.0) / 1024);
  EXPECT_NEAR(neighbours / kCount, 0, 4.0 / 1024);
}

TEST(NormalSource, ScalesByTheDeviation) {
  const NormalSource source;
  float plain[10], scaled[10];
  source.fill(5, 6, 30, 10, 1.0f, plain);
  source.fill(5, 6, 30, 10, 0.25f, scaled);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(scaled[i], plain[i] * 0.25f);
}

}  // namespace
}  // namespace fathom
