#include "infer/draft_governor.h"

#include <gtest/gtest.h>

namespace fathom::infer {
namespace {

constexpr double kLead = 1;

// Tells the governor costs of steps with n answers: one row, two rows, module.
void teach(DraftGovernor& g, int64_t n, double one, double two, double module) {
  for (int i = 0; i < 9; ++i) {
    g.record_two(n, two, module);
    g.record_one(n, one);
  }
}

// Drafts of one lead each, of which so many are right, evenly spread.
int64_t drafts_until_off(DraftGovernor& g, int64_t n, int right_of_ten) {
  DraftRecord record;
  for (int64_t i = 0; i < 1000; ++i)
    if (!g.go_on(n, record, kLead, i * right_of_ten % 10 < right_of_ten)) return i + 1;
  return -1;
}

// Lets the governor learn how often a draft with `lead` is right, in a company that is not judged.
void learn(DraftGovernor& g, double lead, int right_of_ten) {
  for (int round = 0; round < 20; ++round) {
    DraftRecord record;
    for (int i = 0; i < 10; ++i) g.go_on(4, record, lead, i < right_of_ten);
  }
}

TEST(DraftGovernor, KeepsDraftsThatPay) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  teach(g, 1, 1.0, 1.2, 0.2);
  EXPECT_NEAR(g.needed(1), 0.4, 1e-9);
  EXPECT_EQ(drafts_until_off(g, 1, 6), -1);
}

TEST(DraftGovernor, EndsALargeLossEarlyAndASmallOneLater) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  teach(g, 1, 1.0, 1.6, 0.3);
  EXPECT_LE(drafts_until_off(g, 1, 3), 8);
  EXPECT_EQ(g.switched_off(), 1);
  DraftGovernor h(DraftPolicy::while_faster, 4);
  teach(h, 1, 1.0, 1.48, 0.2);
  learn(h, kLead, 6);
  EXPECT_EQ(drafts_until_off(h, 1, 6), 16);
  DraftGovernor mostly_right(DraftPolicy::while_faster, 4);
  teach(mostly_right, 1, 1.0, 1.7, 0.2);
  learn(mostly_right, kLead, 8);
  EXPECT_EQ(drafts_until_off(mostly_right, 1, 8), 40);
}

// Ten drafts tell an answer that drafts badly from one that drafts well, whatever chance does with them.
TEST(DraftGovernor, JudgesByLeads) {
  constexpr double kLittle = 0.2, kMuch = 6;
  DraftGovernor g(DraftPolicy::while_faster, 4);
  teach(g, 1, 1.0, 1.4, 0.2);
  learn(g, kLittle, 4);
  learn(g, kMuch, 10);
  DraftRecord lucky, unlucky;
  int64_t lucky_drafts = 0;
  while (lucky_drafts < 20 && g.go_on(1, lucky, kLittle, true)) ++lucky_drafts;
  EXPECT_LE(lucky_drafts, 10);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(g.go_on(1, unlucky, kMuch, i >= 3)) << i;
}

TEST(DraftGovernor, JudgesByTheCostsOfTheCompany) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  teach(g, 1, 1.0, 1.2, 0.2);
  teach(g, 4, 1.0, 2.0, 0.4);
  EXPECT_EQ(drafts_until_off(g, 1, 6), -1);
  EXPECT_EQ(drafts_until_off(g, 4, 6), 40);  // in company not earlier
}

TEST(DraftGovernor, KnowsNothingWithoutMeasurements) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  EXPECT_EQ(g.needed(2), 0);
  EXPECT_EQ(drafts_until_off(g, 2, 0), -1);
}

TEST(DraftGovernor, RefusesNewAnswersOnlyFromExperience) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  teach(g, 1, 1.0, 1.9, 0.4);
  EXPECT_TRUE(g.start(0));
  DraftRecord record;
  for (int i = 0; i < 400; ++i) g.go_on(1, record, kLead, i % 2 == 0);
  int started = 0;
  for (int i = 0; i < 64; ++i) started += g.start(0);
  EXPECT_EQ(started, 4);  // now and then one tries again
}

TEST(DraftGovernor, ProbesOftenFirstAndSeldomLater) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  int64_t probes = 0, first = 0;
  for (int64_t step = 0; step < 400; ++step) {
    if (!g.probe(1, 0)) {
      g.record_two(1, 1.3, 0.2);
      continue;
    }
    g.record_one(1, 1.0);
    if (step < 14) ++first;
    ++probes;
  }
  EXPECT_EQ(first, 3);
  EXPECT_NEAR(static_cast<double>(probes), 3 + 386 / 16.0, 1.5);
}

TEST(DraftGovernor, ProbesInCompanyOnlyWhenAJudgementIsNear) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(g.probe(3, 31));
  int64_t probes = 0;
  for (int i = 0; i < 8; ++i) probes += g.probe(3, 32);
  EXPECT_GT(probes, 0);
}

// A machine that slows down for a while makes drafts look neither cheap nor dear, nor do single steps that
// were disturbed.
TEST(DraftGovernor, ComparesNeighbouringSteps) {
  DraftGovernor g(DraftPolicy::while_faster, 4);
  teach(g, 1, 1.0, 1.5, 0.2);
  for (int i = 0; i < 2; ++i) {
    g.record_two(1, 4.5, 0.6);
    g.record_one(1, 3.0);
  }
  g.record_two(1, 1.5, 0.2);
  g.record_one(1, 9.0);
  g.record_two(1, 7.0, 3.0);
  g.record_one(1, 1.0);
  EXPECT_NEAR(g.needed(1), 0.7, 1e-9);
  for (int i = 0; i < 20; ++i) g.record_one(1, 0.1);  // without drafts there is nothing to compare
  EXPECT_NEAR(g.needed(1), 0.7, 1e-9);
}

TEST(DraftGovernor, AlwaysMeansAlways) {
  DraftGovernor g(DraftPolicy::always, 4);
  teach(g, 1, 1.0, 3.0, 1.0);
  EXPECT_EQ(drafts_until_off(g, 1, 0), -1);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(g.probe(1, 0));
}

}  // namespace
}  // namespace fathom::infer
