#include "infer/draft_odds.h"

#include <gtest/gtest.h>

#include <limits>

namespace fathom::infer {
namespace {

TEST(DraftOdds, BeginsWithMoreForALargerLead) {
  const DraftOdds odds;
  double before = 0;
  for (const double lead : {0.0, 0.2, 0.5, 1.0, 2.0, 4.0}) {
    EXPECT_GT(odds.right(lead), before) << lead;
    before = odds.right(lead);
  }
  EXPECT_GT(odds.right(std::numeric_limits<double>::infinity()), 0.9);
}

TEST(DraftOdds, LearnsEachRangeByItself) {
  DraftOdds odds;
  const double untouched = odds.right(5);
  for (int i = 0; i < 400; ++i) odds.learn(0.3, i % 4 == 0);
  EXPECT_NEAR(odds.right(0.3), 0.25, 0.02);
  EXPECT_NEAR(odds.right(0.49), 0.25, 0.02);  // leads from 0.25 to 0.5 are one range
  EXPECT_EQ(odds.right(5), untouched);
}

TEST(DraftOdds, ForgetsWhatIsLongAgo) {
  DraftOdds odds;
  for (int i = 0; i < 5000; ++i) odds.learn(1, false);
  for (int i = 0; i < 1000; ++i) odds.learn(1, true);
  EXPECT_GT(odds.right(1), 0.95);
}

}  // namespace
}  // namespace fathom::infer
