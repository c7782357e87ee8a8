#include "infer/generation_config.h"

#include <gtest/gtest.h>

#include "infer/cache_budget.h"

namespace fathom::infer {
namespace {

TEST(GenerationConfig, SamplesOnlyWhenAsked) {
  const auto sampled = parse_generation_config(
      R"({"do_sample": true, "temperature": 0.6, "top_p": 0.95, "top_k": 7})", 100, "f");
  ASSERT_TRUE(sampled);
  EXPECT_EQ(sampled->sampling.temperature, 0.6);
  EXPECT_EQ(sampled->sampling.top_p, 0.95);
  EXPECT_EQ(sampled->sampling.top_k, 7);
  EXPECT_EQ(
      parse_generation_config(R"({"do_sample": false, "temperature": 0.6})", 100, "f")->sampling.temperature,
      0);
  EXPECT_EQ(parse_generation_config("{}", 100, "f")->sampling.temperature, 0);
}

TEST(GenerationConfig, EndsOfSequenceOfBothFiles) {
  const auto c = generation_config_of(R"({"eos_token_id": [5, 1]})", {1, 2}, 100, "f");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->stop_ids, (std::vector<int32_t>{1, 2, 5}));
  EXPECT_EQ(generation_config_of(std::nullopt, {1}, 100, "f")->stop_ids, (std::vector<int32_t>{1}));
}

TEST(GenerationConfig, BadValuesNameTheKey) {
  const auto key = [](const char* text) { return parse_generation_config(text, 100, "f").error().key; };
  EXPECT_EQ(key(R"({"temperature": "hot"})"), "temperature");
  EXPECT_EQ(key(R"({"do_sample": true, "temperature": -1})"), "temperature");
  EXPECT_EQ(key(R"({"temperature": -1})"), "temperature") << "greedy or not";
  EXPECT_EQ(key(R"({"top_p": 3})"), "top_p");
  EXPECT_EQ(key(R"({"top_k": 2.5})"), "top_k");
  EXPECT_EQ(key(R"({"eos_token_id": 100})"), "eos_token_id");
  EXPECT_EQ(key(R"({"eos_token_id": "x"})"), "eos_token_id");
  EXPECT_EQ(key(R"({"do_sample": 1})"), "do_sample");
  EXPECT_FALSE(parse_generation_config("[]", 100, "f"));
}

TEST(CacheBudget, LeavesRoomForTheWeights) {
  EXPECT_EQ(cache_budget(100, 40, 1, 1000), 30u);
  EXPECT_EQ(cache_budget(100, 40, 1, 20), 20u);      // no more than everybody can use
  EXPECT_EQ(cache_budget(100, 500, 10, 1000), 10u);  // weights beyond memory: one sequence still
  EXPECT_EQ(cache_budget(100, 500, 80, 1000), 50u);
}

}  // namespace
}  // namespace fathom::infer
