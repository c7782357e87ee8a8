#include "infer/gumbel.h"

#include <gtest/gtest.h>

#include <vector>

namespace fathom::infer {
namespace {

TEST(Gumbel, ManyWordsEqualEachByItself) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}, uint64_t{1} << 40})
    for (const int64_t position : {int64_t{0}, int64_t{163839}, int64_t{1} << 33})
      for (const int64_t first : {int64_t{0}, int64_t{64}, (int64_t{1} << 34) + 64}) {
        std::vector<uint32_t> words(128);
        noise_words(seed, position, first, words);
        for (size_t i = 0; i < words.size(); ++i)
          ASSERT_EQ(words[i], noise_word(seed, position, first + static_cast<int64_t>(i)));
      }
}

TEST(Gumbel, ValuesRiseWithTheWordAndStayBelowTheLargest) {
  EXPECT_LT(gumbel_of(0), gumbel_of(1));
  EXPECT_LT(gumbel_of(0xFFFFFFFE), gumbel_of(0xFFFFFFFF));
  EXPECT_LT(gumbel_of(0xFFFFFFFF), kLargestGumbel);
}

TEST(Gumbel, TheSmallestWordAboveAValueMissesNone) {
  for (double value = -4; value < kLargestGumbel; value += 0.0137) {
    const uint32_t word = smallest_word_above(value);
    EXPECT_TRUE(word == 0 || gumbel_of(word - 1) <= value);
    EXPECT_TRUE(word >= 0xFFFFFFF0 || gumbel_of(word + 16) > value);
  }
}

TEST(Gumbel, TheQuickBoundMissesNoneAndIsClose) {
  for (double value = -9; value < kLargestGumbel + 3; value += 0.00137) {
    const uint32_t bound = word_bound(value), exact = smallest_word_above(value);
    ASSERT_LE(bound, exact) << value;
    if (value > -2 && value < 12) {
      EXPECT_NEAR((4294967296.0 - bound) / (4294967296.0 - exact), 1, 0.02) << value;
    }
  }
}

}  // namespace
}  // namespace fathom::infer
