// What bench counts as touched.
#include "eval/bench.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/bench_steps.h"
#include "model/residency.h"
#include "tensor/isa.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom::eval {
namespace {

class BenchOfTinyModel : public ::testing::Test {
 protected:
  BenchOfTinyModel() : pool_(2), ctx_{Backend::cpu, Mode::fast, best_isa(), &pool_}, model_(open()) {}
  model::Model open() {
    test::write_tiny_model(directory_ / "m");
    return model::open_model(directory_ / "m");
  }
  // Without the MTP module.
  int64_t expert_bytes() const {
    const int64_t moe_layers = model_.config.num_hidden_layers - 1;
    return model::weight_bytes(model_).experts / (moe_layers * model_.config.n_routed_experts);
  }
  int64_t entry_bytes() const { return model_.config.latent_width() * 2 * model_.config.num_hidden_layers; }

  test::TemporaryDirectory directory_;
  ThreadPool pool_;
  Context ctx_;
  model::Model model_;
};

TEST_F(BenchOfTinyModel, OneSequenceTouchesItsExpertsAndItsCache) {
  const BenchPlan plan{.prefill = {}, .batches = {1}, .depths = {10}, .steps = 4};
  BenchSteps steps(ctx_, model_, plan, {});
  steps.fill(1, 10);
  const BenchRun run = steps.decode(1, 10, 4);
  const model::WeightBytes w = model::weight_bytes(model_);
  const int64_t experts = 2 * model_.config.num_experts_per_tok * expert_bytes();
  EXPECT_EQ(run.steps, 4);
  EXPECT_EQ(run.tokens, 4);
  EXPECT_DOUBLE_EQ(run.bytes,
                   static_cast<double>(4 * (w.dense + experts) + (11 + 12 + 13 + 14) * entry_bytes()));
  EXPECT_GT(run.regions, 0);
}

TEST_F(BenchOfTinyModel, ABatchTouchesAnExpertOnceAndOthersNever) {
  const BenchPlan plan{.prefill = {64}, .prefill_batches = {1, 2}, .batches = {8}, .depths = {1}, .steps = 1};
  BenchSteps steps(ctx_, model_, plan, {});
  steps.fill(8, 1);
  const BenchRun run = steps.decode(8, 1, 1);
  const model::WeightBytes w = model::weight_bytes(model_);
  const double experts = (run.bytes - static_cast<double>(w.dense + 8 * 2 * entry_bytes())) /
                         static_cast<double>(expert_bytes());
  EXPECT_DOUBLE_EQ(experts, std::round(experts));
  EXPECT_GE(experts, 2.0 * static_cast<double>(model_.config.num_experts_per_tok));
  EXPECT_LE(experts, 2.0 * static_cast<double>(model_.config.n_routed_experts));
  // Two prompts of 64 are one step, and read the head once.
  const BenchRun two = steps.prefill(2, 64);
  EXPECT_EQ(two.steps, 1);
  EXPECT_EQ(two.tokens, 128);
  EXPECT_LE(two.bytes, static_cast<double>(w.dense + w.experts + 2 * 64 * entry_bytes()));
}

TEST_F(BenchOfTinyModel, TellsTheDiskWhenExpertsComeFromIt) {
  const BenchPlan plan{
      .prefill = {}, .batches = {1}, .depths = {1}, .steps = 2, .pairs = 1, .bandwidth_bytes = 4 << 20};
  const BenchReport all = bench(ctx_, model_, plan, {}, [](const std::string&) {});
  ASSERT_EQ(all.results.size(), 1u);
  EXPECT_EQ(all.disk_rate, 0);
  EXPECT_GT(all.results[0].tokens_per_second, 0);
  EXPECT_GT(all.results[0].bandwidth_share, 0);
  EXPECT_GT(all.results[0].regions_per_step, 0);
  const auto dense = static_cast<uint64_t>(model::weight_bytes(model_).dense);
  const model::Residency residency(model_, dense + dense / 16 + 4 * model::ExpertCache::expert_bytes(model_));
  ASSERT_TRUE(residency.streams());
  const BenchReport few = bench(ctx_, model_, plan, {.residency = &residency}, [](const std::string&) {});
  EXPECT_GT(few.results[0].first_tokens_per_second, 0);
  EXPECT_EQ(few.results[0].bytes_per_step, all.results[0].bytes_per_step);
}

}  // namespace
}  // namespace fathom::eval
