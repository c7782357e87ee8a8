// An MTP module asked for some rows alone gives their bits and leaves the same cache as one asked for all.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "infer/latent_pool.h"
#include "model/forward.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom::model {
namespace {

struct Result {
  std::vector<float> hidden;
  std::vector<std::byte> entries;
};

// The module over 20 positions of one sequence, after 50 that the cache holds already.
Result run(const Context& ctx, const Model& model, bool act_quant,
           std::optional<std::vector<int32_t>> wanted) {
  constexpr int64_t kBefore = 50, kRows = 20, kAll = kBefore + kRows;
  const int64_t width = model.config.hidden_size;
  infer::LatentPool pool(model.config, ctx.mode, infer::LatentPool::blocks_for(kAll));
  std::vector<int32_t> table, sequence(kAll), positions(kAll), tokens(kAll);
  for (int64_t b = 0; b < pool.blocks(); ++b) table.push_back(pool.acquire());
  std::iota(positions.begin(), positions.end(), 0);
  std::iota(tokens.begin(), tokens.end(), 9);
  std::vector<float> previous(static_cast<size_t>(kAll * width));
  for (size_t i = 0; i < previous.size(); ++i) previous[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  Workspace workspace(model.config, kAll);
  Forward forward(ctx, model, workspace, {.act_quant = act_quant, .act_format = model.config.scale_format});
  const auto part = [&](int64_t first, int64_t rows) {
    const auto at = static_cast<size_t>(first), count = static_cast<size_t>(rows);
    return Step{.tokens = std::span<const int32_t>(tokens).subspan(at, count),
                .positions = std::span<const int32_t>(positions).subspan(at, count),
                .rows = {.rows = rows,
                         .sequence = sequence.data(),
                         .position = positions.data() + first,
                         .tables = {table.data(), 1, pool.blocks()}},
                .cache = pool.layers()};
  };
  forward.mtp(0, part(0, kBefore), {previous.data(), kBefore, width});
  const Mat<const float> rest{previous.data() + kBefore * width, kRows, width};
  const Mat<float> hidden = wanted ? forward.mtp_rows(0, part(kBefore, kRows), rest, *wanted)
                                   : forward.mtp(0, part(kBefore, kRows), rest);
  Result result;
  for (int64_t r = 0; r < hidden.rows; ++r)
    result.hidden.insert(result.hidden.end(), hidden.row(r), hidden.row(r) + width);
  const kernels::PagedLatent& cache = pool.layers().back();
  for (int64_t p = 0; p < kAll; ++p) {
    const std::byte* entry =
        cache.entry(table[static_cast<size_t>(p / kernels::kBlockTokens)], p % kernels::kBlockTokens);
    result.entries.insert(result.entries.end(), entry,
                          entry + cache.width() * static_cast<int64_t>(size_of(cache.dtype)));
  }
  return result;
}

TEST(MtpRows, SameBitsAsAllRows) {
  const test::TemporaryDirectory directory;
  test::write_tiny_model(directory / "model", CheckpointType::fp8);
  const Model model = open_model(directory / "model");
  const auto width = static_cast<size_t>(model.config.hidden_size);
  ThreadPool pool(2);
  for (const Isa isa : available_isas())
    for (const Mode mode : {Mode::faithful, Mode::fast})
      for (const bool act_quant : {false, true}) {
        const Context ctx{Backend::cpu, mode, isa, &pool};
        const Result all = run(ctx, model, act_quant, std::nullopt);
        for (const std::vector<int32_t>& wanted : {std::vector<int32_t>{}, {19}, {0, 7, 19}, {0, 1, 2}}) {
          const Result some = run(ctx, model, act_quant, wanted);
          EXPECT_EQ(some.entries, all.entries) << name_of(isa);
          ASSERT_EQ(some.hidden.size(), wanted.size() * width);
          for (size_t i = 0; i < wanted.size(); ++i)
            EXPECT_EQ(std::memcmp(&some.hidden[i * width],
                                  &all.hidden[static_cast<size_t>(wanted[i]) * width], width * sizeof(float)),
                      0)
                << name_of(isa) << " row " << wanted[i];
        }
      }
}

}  // namespace
}  // namespace fathom::model
