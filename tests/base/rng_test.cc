#include "base/rng.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fathom {
namespace {

// Known answers of Philox4x32-10, from the published test vectors of Random123.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, 0, 0), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ull, ~0ull, ~0ull), (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Philox, NormalPairsHaveTheRightMoments) {
  double sum = 0, squares = 0, cross = 0;
  constexpr int kPairs = 100000;
  for (int i = 0; i < kPairs; ++i) {
    const auto [a, b] = normal_pair(7, static_cast<uint64_t>(i), 1);
    sum += a + b;
    squares += static_cast<double>(a) * a + static_cast<double>(b) * b;
    cross += static_cast<double>(a) * b;
  }
  EXPECT_NEAR(sum / (2 * kPairs), 0, 5 / std::sqrt(2.0 * kPairs));
  EXPECT_NEAR(squares / (2 * kPairs), 1, 0.02);
  EXPECT_NEAR(cross / kPairs, 0, 5 / std::sqrt(1.0 * kPairs));
}

}  // namespace
}  // namespace fathom
