#include "model/forward.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <optional>

#include "infer/latent_pool.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom::model {
namespace {

class Tiny {
 public:
  Tiny() {
    test::write_tiny_model(directory_ / "model");
    model_.emplace(open_model(directory_ / "model"));
  }
  const Model& model() const { return *model_; }

 private:
  test::TemporaryDirectory directory_;
  std::optional<Model> model_;
};

// Hidden states of a sequence whose rope positions begin at `offset`, fed in pieces of `chunk` rows.
std::vector<float> hidden_states(const Context& ctx, const Model& model, std::span<const int32_t> tokens, int64_t chunk, int32_t offset) {
  const int64_t count = static_cast<int64_t>(tokens.size());
  infer::LatentPool pool(model.config, ctx.mode, infer::LatentPool::blocks_for(count));
  std::vector<int32_t> table, slots(tokens.size()), positions(tokens.size()), sequence(tokens.size());
  for (int64_t b = 0; b < pool.blocks(); ++b) table.push_back(pool.acquire());
  std::iota(slots.begin(), slots.end(), 0);
  std::iota(positions.begin(), positions.end(), offset);
  Workspace workspace(model.config, chunk);
  Forward forward(ctx, model, workspace);
  std::vector<float> out;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t rows = std::min(chunk, count - first);
    const Mat<float> hidden = forward.layers(
        {.tokens = tokens.subspan(static_cast<size_t>(first), static_cast<size_t>(rows)),
         .positions = std::span<const int32_t>(positions).subspan(static_cast<size_t>(first), static_cast<size_t>(rows)),
         .rows = {.rows = rows, .sequence = sequence.data(), .position = slots.data() + first, .tables = {table.data(), 1, pool.blocks()}},
         .cache = pool.layers()});
    for (int64_t r = 0; r < rows; ++r) out.insert(out.end(), hidden.row(r), hidden.row(r) + hidden.cols);
  }
  return out;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

std::vector<int32_t> some_tokens(int64_t count, int64_t vocab) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i) tokens.push_back(static_cast<int32_t>((i * 7919 + 13) % vocab));
  return tokens;
}

TEST(Forward, ChunksAndSingleStepsGiveTheSameBytes) {
  const Tiny small;
  const auto tokens = some_tokens(150, small.model().config.vocab_size);
  ThreadPool pool(2);
  for (Isa isa : available_isas()) {
    for (Mode mode : {Mode::faithful, Mode::fast}) {
      const Context ctx{Backend::cpu, mode, isa, &pool};
      const auto whole = hidden_states(ctx, small.model(), tokens, 150, 0);
      for (int64_t chunk : {1, 7, 64}) EXPECT_EQ(hidden_states(ctx, small.model(), tokens, chunk, 0), whole) << name_of(isa) << chunk;
    }
  }
}

// Attention sees differences of positions alone, so with exact angles a shift by 160,000 changes nothing. Angles in FP32
// would be off by up to 160000 * 2^-24 = 0.01 radians, a hundred times the tolerance.
TEST(Forward, PositionsNear160000LoseNothing) {
  const Tiny small;
  const auto tokens = some_tokens(70, small.model().config.vocab_size);
  ThreadPool pool(2);
  for (Backend backend : {Backend::ref, Backend::cpu}) {
    const Context ctx{backend, Mode::faithful, best_isa(), &pool};
    const auto near = hidden_states(ctx, small.model(), tokens, 70, 0);
    const auto far = hidden_states(ctx, small.model(), tokens, 70, 160000);
    EXPECT_LT(largest_difference(near, far), 5e-5);
    EXPECT_GT(largest_difference(near, far), 0);
  }
}

TEST(Forward, CpuEqualsReference) {
  const Tiny small;
  const auto tokens = some_tokens(40, small.model().config.vocab_size);
  ThreadPool pool(2);
  const auto ref = hidden_states({Backend::ref, Mode::faithful, Isa::avx2, &pool}, small.model(), tokens, 40, 0);
  double magnitude = 0;
  for (float v : ref) magnitude = std::max(magnitude, std::fabs(static_cast<double>(v)));
  for (Isa isa : available_isas()) {
    const auto own = hidden_states({Backend::cpu, Mode::faithful, isa, &pool}, small.model(), tokens, 40, 0);
    EXPECT_LT(largest_difference(own, ref), 1e-5 * std::max(1.0, magnitude)) << name_of(isa);
  }
}

}  // namespace
}  // namespace fathom::model
