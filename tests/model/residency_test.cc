#include "model/residency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "infer/latent_pool.h"
#include "model/forward.h"
#include "tensor/isa.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom::model {
namespace {

struct TinyOnDisk {
  test::TemporaryDirectory directory;
  Model model;
  explicit TinyOnDisk(CheckpointType type = CheckpointType::fp8, uint64_t shard = uint64_t{1} << 30)
      : model(open(type, shard)) {}
  Model open(CheckpointType type, uint64_t shard) {
    test::write_tiny_model(directory / "model", type, shard);
    return open_model(directory / "model");
  }
};

// Steps of `chunk` rows of one sequence of pseudo-random tokens, and the logits of the last row.
class Steps {
 public:
  Steps(const Model& model, Options options, int64_t count)
      : pool_(2),
        ctx_{Backend::cpu, Mode::fast, best_isa(), &pool_},
        cache_(model.config, ctx_.mode, infer::LatentPool::blocks_for(count)),
        workspace_(model.config, count),
        forward_(ctx_, model, workspace_, options) {
    for (int64_t b = 0; b < cache_.blocks(); ++b) table_.push_back(cache_.acquire());
    tokens_.resize(static_cast<size_t>(count)), positions_.resize(tokens_.size()),
        sequence_.resize(tokens_.size());
    for (size_t i = 0; i < tokens_.size(); ++i) tokens_[i] = static_cast<int32_t>((i * 7919 + 13) % 320);
    std::iota(positions_.begin(), positions_.end(), 0);
  }
  void step(int64_t first, int64_t rows) {
    const auto f = static_cast<size_t>(first), n = static_cast<size_t>(rows);
    hidden_ = forward_.layers({.tokens = std::span<const int32_t>(tokens_).subspan(f, n),
                               .positions = std::span<const int32_t>(positions_).subspan(f, n),
                               .rows = {.rows = rows,
                                        .sequence = sequence_.data(),
                                        .position = positions_.data() + f,
                                        .tables = {table_.data(), 1, cache_.blocks()}},
                               .cache = cache_.layers()});
  }
  std::vector<float> hidden(int64_t chunk) {
    std::vector<float> out;
    const auto count = static_cast<int64_t>(tokens_.size());
    for (int64_t first = 0; first < count; first += chunk) {
      step(first, std::min(chunk, count - first));
      for (int64_t r = 0; r < hidden_.rows; ++r)
        out.insert(out.end(), hidden_.row(r), hidden_.row(r) + hidden_.cols);
    }
    return out;
  }

 private:
  ThreadPool pool_;
  Context ctx_;
  infer::LatentPool cache_;
  Workspace workspace_;
  Forward forward_;
  std::vector<int32_t> table_, tokens_, positions_, sequence_;
  Mat<float> hidden_;
};

uint64_t bytes_for(const Model& model, int64_t experts) {
  const uint64_t room = static_cast<uint64_t>(weight_bytes(model).dense + weight_bytes(model).expert_scales) +
                        static_cast<uint64_t>(experts) * ExpertCache::expert_bytes(model);
  return room * 32 / 31 + 32;
}

TEST(Residency, PlanFollowsTheBudget) {
  const TinyOnDisk tiny;
  const Model& m = tiny.model;
  const auto total = static_cast<uint64_t>(weight_bytes(m).total());
  EXPECT_FALSE(plan_residency(m, total).streams);
  EXPECT_EQ(plan_residency(m, total).disk_bytes_token, 0);
  EXPECT_TRUE(plan_residency(m, total - 1).streams);
  const ResidencyPlan few = plan_residency(m, bytes_for(m, 5));
  EXPECT_TRUE(few.streams);
  EXPECT_TRUE(few.dense_fits);
  EXPECT_EQ(few.experts_kept, 5);
  EXPECT_GT(few.disk_bytes_token, 0);
  EXPECT_LT(few.disk_bytes_token, static_cast<double>(weight_bytes(m).experts_token));
  const ResidencyPlan none = plan_residency(m, 1000);
  EXPECT_FALSE(none.dense_fits);
  EXPECT_GT(none.disk_bytes_token, static_cast<double>(weight_bytes(m).dense));
  EXPECT_EQ(none.experts_kept, m.config.num_experts_per_tok);
}

TEST(Residency, ReadExpertsGiveTheSameBits) {
  // Shards, so that experts lie in several files.
  for (const CheckpointType type : {CheckpointType::fp8, CheckpointType::bf16}) {
    const TinyOnDisk tiny(type, 400'000);
    ASSERT_GT(tiny.model.directory.files().size(), 1u);
    for (const bool act_quant : {false, true}) {
      Options options{.act_quant = act_quant};
      for (const int64_t chunk : {1, 40}) {
        Steps mapped(tiny.model, options, 80);
        const auto expected = mapped.hidden(chunk);
        for (const int64_t experts : {1, 7, 1000}) {
          Residency residency(tiny.model, bytes_for(tiny.model, experts));
          if (experts == 1000) {
            EXPECT_FALSE(residency.streams());
            continue;
          }
          ASSERT_TRUE(residency.streams());
          residency.warm();
          options.residency = &residency;
          Steps read(tiny.model, options, 80);
          EXPECT_EQ(read.hidden(chunk), expected) << experts << " experts, chunks of " << chunk;
          options.residency = nullptr;
        }
      }
    }
  }
}

TEST(Residency, KeepsWhatWasUsedLast) {
  const TinyOnDisk tiny;
  const auto& experts = tiny.model.parameters.layers.back().moe.experts;
  const int64_t layer = tiny.model.config.num_hidden_layers - 1;
  ExpertCache cache(tiny.model, 4 * ExpertCache::expert_bytes(tiny.model));
  ASSERT_EQ(cache.capacity(), 4);
  // Which of the experts were in memory already.
  const auto use = [&](std::vector<int32_t> chosen) {
    std::vector<int32_t> offset(experts.size() + 1), here, all;
    for (size_t e = 0; e < experts.size(); ++e)
      offset[e + 1] = offset[e] + (std::ranges::count(chosen, static_cast<int32_t>(e)) > 0 ? 1 : 0);
    cache.begin(experts, layer, offset);
    for (const ChosenExpert& e : cache.next()) here.push_back(e.expert), all.push_back(e.expert);
    while (!cache.done())
      for (const ChosenExpert& e : cache.next()) {
        all.push_back(e.expert);
        const FfnParameters& from = experts[static_cast<size_t>(e.expert)];
        for (const auto& [a, b] : {std::pair(e.weights->gate, from.gate),
                                   {e.weights->up, from.up},
                                   {e.weights->down, from.down}}) {
          EXPECT_NE(a.data, b.data);
          EXPECT_EQ(std::memcmp(a.data, b.data, b.bytes()), 0);
        }
      }
    std::ranges::sort(all);
    EXPECT_EQ(all, chosen);
    return here;
  };
  using List = std::vector<int32_t>;
  EXPECT_EQ(use({0, 1}), List{});
  EXPECT_EQ(use({2, 3}), List{});
  EXPECT_EQ(use({0}), List{0});
  EXPECT_EQ(use({5}), List{});  // in place of 1
  EXPECT_EQ(use({0, 2, 3}), (List{0, 2, 3}));
  EXPECT_EQ(use({1}), List{});  // in place of 5
  EXPECT_EQ(use({5}), List{});
  // More than fit at once come in turns.
  EXPECT_EQ(use({0, 1, 2, 3, 4, 5, 6, 7}).size(), 4u);
}

TEST(Residency, ADiskThatFailsIsAnErrorAndTheCacheGoesOn) {
  const TinyOnDisk tiny;
  Residency residency(tiny.model, bytes_for(tiny.model, 4));
  Options options{.residency = &residency};
  const std::string file = tiny.model.directory.files().front().path();
  const std::string whole = read_file(file).value();
  Steps run(tiny.model, options, 80);
  const auto expected = run.hidden(40);
  // Experts that are cut off the file: reading them says so, and later, when the file is whole again, they
  // are read.
  std::filesystem::resize_file(file, 4096);
  ExpertCache* cache = residency.experts();
  const auto& experts = tiny.model.parameters.layers.back().moe.experts;
  std::vector<int32_t> offset(experts.size() + 1);
  std::iota(offset.begin(), offset.end(), 0);
  const auto use_all = [&] {
    cache->begin(experts, tiny.model.config.num_hidden_layers - 1, offset);
    do {
      cache->next();
    } while (!cache->done());
  };
  EXPECT_THROW(use_all(), Exception);
  std::filesystem::resize_file(file, whole.size());
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.write(whole.data(), static_cast<std::streamsize>(whole.size()));
  out.close();
  use_all();
  EXPECT_EQ(run.hidden(40), expected);
}

}  // namespace
}  // namespace fathom::model
