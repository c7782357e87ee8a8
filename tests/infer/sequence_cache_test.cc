#include "infer/sequence_cache.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/rng.h"
#include "tests/support/tiny_model.h"

namespace fathom::infer {
namespace {

constexpr int64_t kBlockTokens = kernels::kBlockTokens;

model::Config config() { return model::parse_config(test::tiny_config_text(), "config.json").value(); }

struct Holder {
  std::vector<int32_t> tokens, table;
  SequenceBlocks blocks;

  explicit Holder(std::vector<int32_t> t) : tokens(std::move(t)), table(64) { blocks.table = table; }
};

std::vector<int32_t> counted(int64_t count, int32_t first = 0) {
  std::vector<int32_t> t(static_cast<size_t>(count));
  for (size_t i = 0; i < t.size(); ++i) t[i] = first + static_cast<int32_t>(i);
  return t;
}

TEST(SequenceCache, FindsAnEqualBeginningAndLeavesTheLastToken) {
  SequenceCache cache(config(), Mode::fast, 16, true);
  Holder a(counted(3 * kBlockTokens));
  ASSERT_TRUE(cache.admit(a.tokens, 3 * kBlockTokens + 10, true, a.blocks));
  EXPECT_EQ(a.blocks.count, 0);
  cache.grow(a.blocks, 3 * kBlockTokens);
  cache.publish(a.blocks, a.tokens, 3 * kBlockTokens - 1, 3 * kBlockTokens - 1);
  EXPECT_EQ(a.blocks.entries.size(), 2u);
  Holder b(a.tokens);
  ASSERT_TRUE(cache.admit(b.tokens, 4 * kBlockTokens, true, b.blocks));
  EXPECT_EQ(b.blocks.count, 2);
  EXPECT_EQ(b.table[1], a.table[1]);
  // A prompt that ends with a block computes its last token again, and thus the block.
  Holder c(counted(2 * kBlockTokens));
  ASSERT_TRUE(cache.admit(c.tokens, 2 * kBlockTokens + 1, true, c.blocks));
  EXPECT_EQ(c.blocks.count, 1);
  cache.release(a.blocks);
  cache.release(b.blocks);
  cache.release(c.blocks);
  EXPECT_EQ(cache.blocks_in_use(), 0);
  EXPECT_EQ(cache.blocks_remembered(), 2);
}

// The module's last entry of a block was made with the token after it: who needs the module needs that token
// equal.
TEST(SequenceCache, TheModuleLooksOneTokenFurther) {
  SequenceCache cache(config(), Mode::fast, 16, true);
  Holder a(counted(2 * kBlockTokens));
  ASSERT_TRUE(cache.admit(a.tokens, 2 * kBlockTokens, true, a.blocks));
  cache.grow(a.blocks, 2 * kBlockTokens);
  cache.publish(a.blocks, a.tokens, kBlockTokens, kBlockTokens);
  std::vector<int32_t> other = a.tokens;
  other[static_cast<size_t>(kBlockTokens)] = 300;
  Holder with(other), without(other);
  ASSERT_TRUE(cache.admit(with.tokens, 2 * kBlockTokens, true, with.blocks));
  EXPECT_EQ(with.blocks.count, 0);
  cache.release(with.blocks);
  // Blocks without the module's entries serve those alone who do not need them.
  Holder plain(counted(2 * kBlockTokens, 100)), asks(plain.tokens), free(plain.tokens);
  ASSERT_TRUE(cache.admit(plain.tokens, 2 * kBlockTokens, false, plain.blocks));
  cache.grow(plain.blocks, 2 * kBlockTokens);
  cache.publish(plain.blocks, plain.tokens, kBlockTokens, 0);
  ASSERT_TRUE(cache.admit(asks.tokens, 2 * kBlockTokens, true, asks.blocks));
  EXPECT_EQ(asks.blocks.count, 0);
  ASSERT_TRUE(cache.admit(free.tokens, 2 * kBlockTokens, false, free.blocks));
  EXPECT_EQ(free.blocks.count, 1);
}

TEST(SequenceCache, ReservationsAreKept) {
  SequenceCache cache(config(), Mode::fast, 4, true);
  Holder a(counted(10)), b(counted(10, 500));
  ASSERT_TRUE(cache.admit(a.tokens, 3 * kBlockTokens, false, a.blocks));
  EXPECT_FALSE(cache.admit(b.tokens, 2 * kBlockTokens, false, b.blocks));
  EXPECT_TRUE(cache.admit(b.tokens, kBlockTokens, false, b.blocks));
  cache.grow(b.blocks, kBlockTokens);
  cache.grow(a.blocks, 3 * kBlockTokens);
  EXPECT_EQ(cache.pool().free_blocks(), 0);
}

TEST(SequenceCache, ForgetsTheEndOfABeginningFirst) {
  SequenceCache cache(config(), Mode::fast, 4, true);
  Holder a(counted(4 * kBlockTokens));
  ASSERT_TRUE(cache.admit(a.tokens, 4 * kBlockTokens, false, a.blocks));
  cache.grow(a.blocks, 4 * kBlockTokens);
  cache.publish(a.blocks, a.tokens, 4 * kBlockTokens, 0);
  cache.release(a.blocks);
  Holder b(counted(10, 900));
  ASSERT_TRUE(cache.admit(b.tokens, 2 * kBlockTokens, false, b.blocks));
  cache.grow(b.blocks, 2 * kBlockTokens);
  cache.release(b.blocks);
  Holder c(a.tokens);
  ASSERT_TRUE(cache.admit(c.tokens, 4 * kBlockTokens, false, c.blocks));
  EXPECT_EQ(c.blocks.count, 2);
}

// Random sequences over few tokens come, grow, publish and go. After every act: no block belongs to two
// owners that may write it, every table shows the sequence's own tokens, counts add up, reservations hold.
class CacheWalk {
 public:
  static constexpr int64_t kBlocks = 24;

  CacheWalk() : cache_(config(), Mode::fast, kBlocks, true), content_(static_cast<size_t>(kBlocks)) {}

  void act(uint64_t turn) {
    turn_ = turn;
    if (sequences_.size() < 6 && random(0) % 3 == 0)
      arrive();
    else if (!sequences_.empty() && random(1) % 8 == 0)
      leave(random(2) % sequences_.size());
    else if (!sequences_.empty())
      grow(*sequences_[random(2) % sequences_.size()]);
    check();
  }
  void leave_all() {
    while (!sequences_.empty()) leave(0);
    check();
    EXPECT_EQ(cache_.blocks_in_use(), 0);
  }

 private:
  struct Walker : Holder {
    using Holder::Holder;
    int64_t computed = 0, total = 0;
    bool module = false;
  };
  uint32_t random(uint64_t salt) const { return philox(3, turn_, salt)[0]; }

  void arrive() {
    // Beginnings repeat: the tokens of block j are one of two kinds.
    const int64_t total = 65 + random(3) % (6 * kBlockTokens);
    std::vector<int32_t> tokens(static_cast<size_t>(total));
    for (int64_t i = 0; i < total; ++i)
      tokens[static_cast<size_t>(i)] =
          static_cast<int32_t>(i + 1000 * ((random(10 + static_cast<uint64_t>(i / kBlockTokens)) >> 4) % 2));
    auto w = std::make_unique<Walker>(tokens);
    w->total = total;
    w->module = random(4) % 2 == 0;
    const auto prompt =
        std::span(w->tokens).first(static_cast<size_t>(1 + random(5) % static_cast<uint32_t>(total)));
    if (!cache_.admit(prompt, total, w->module, w->blocks)) return;
    w->computed = w->blocks.count * kBlockTokens;
    ASSERT_LT(w->computed, static_cast<int64_t>(prompt.size()));
    sequences_.push_back(std::move(w));
  }
  void grow(Walker& w) {
    const int64_t to = std::min(w.total - 1, w.computed + 1 + random(6) % 100);
    cache_.grow(w.blocks, std::max(to, w.computed));
    for (int64_t p = w.computed; p < to; ++p) write(w, p);
    w.computed = std::max(to, w.computed);
    cache_.publish(w.blocks, w.tokens, w.computed, w.module ? w.computed : 0);
  }
  void write(const Walker& w, int64_t p) {
    auto& block = content_[static_cast<size_t>(w.table[static_cast<size_t>(p / kBlockTokens)])];
    block.resize(static_cast<size_t>(kBlockTokens));
    block[static_cast<size_t>(p % kBlockTokens)] = w.tokens[static_cast<size_t>(p)];
  }
  void leave(size_t i) {
    cache_.release(sequences_[i]->blocks);
    sequences_.erase(sequences_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void check() const {
    int64_t reserved = 0;
    for (const auto& w : sequences_) {
      reserved += w->blocks.reserved;
      for (int64_t p = 0; p < w->computed; ++p)
        ASSERT_EQ(content_[static_cast<size_t>(w->table[static_cast<size_t>(p / kBlockTokens)])]
                          [static_cast<size_t>(p % kBlockTokens)],
                  w->tokens[static_cast<size_t>(p)]);
    }
    ASSERT_GE(cache_.pool().free_blocks() + cache_.blocks_remembered(), reserved);
    ASSERT_LE(cache_.blocks_in_use(), kBlocks);
  }

  SequenceCache cache_;
  std::vector<std::vector<int32_t>> content_;  // what each block holds
  std::vector<std::unique_ptr<Walker>> sequences_;
  uint64_t turn_ = 0;
};

TEST(SequenceCache, RandomWalk) {
  CacheWalk walk;
  for (uint64_t turn = 0; turn < 20000 && !testing::Test::HasFatalFailure(); ++turn) walk.act(turn);
  walk.leave_all();
}

}  // namespace
}  // namespace fathom::infer
