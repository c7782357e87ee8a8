#include "infer/engine.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/infer/engine_fixture.h"
#include "tests/support/temporary_directory.h"
#include "tests/text/small_tokenizer.h"

namespace fathom::infer {
namespace {

const model::Model& tiny() { return TinyModel::shared().model; }
int64_t vocab() { return tiny().config.vocab_size; }

Request greedy(uint64_t seed, int64_t prompt, int64_t answer) {
  Request r;
  r.prompt = random_ids(seed, prompt, vocab());
  r.max_tokens = answer;
  r.sampling.temperature = 0;
  return r;
}

std::string error_of(Engine& engine, const Request& r) {
  try {
    engine.submit(r, std::make_shared<Collected>());
  } catch (const Exception& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Engine, RefusesWhatCanNeverRun) {
  Machine machine;
  EngineOptions options = small_engine();
  options.cache_bytes = 4 * LatentPool::block_bytes(tiny().config, Mode::faithful);
  Engine engine(machine.context, tiny(), nullptr, options);
  EXPECT_EQ(engine.cache_tokens(), 256);
  Request r = greedy(1, 10, 300);
  EXPECT_NE(error_of(engine, r).find("it holds 256"), std::string::npos);
  r.max_tokens = 0;
  EXPECT_NE(error_of(engine, r).find("max_tokens"), std::string::npos);
  r = greedy(1, 10, 10);
  r.prompt[3] = static_cast<int32_t>(vocab());
  EXPECT_NE(error_of(engine, r).find("ids from 0 to 319"), std::string::npos);
  r.prompt[3] = -1;
  EXPECT_NE(error_of(engine, r).find("does not exist"), std::string::npos);
  r.prompt.clear();
  EXPECT_NE(error_of(engine, r).find("prompt"), std::string::npos);
  r.prompt.assign(4096, 7);
  EXPECT_NE(error_of(engine, r).find("4096"), std::string::npos);
  r = greedy(1, 10, 10);
  r.stop = {"x"};
  EXPECT_NE(error_of(engine, r).find("tokenizer"), std::string::npos);
  r.stop.clear();
  r.sampling.top_p = 7;
  EXPECT_NE(error_of(engine, r).find("top_p"), std::string::npos);
  EXPECT_FALSE(engine.step());
}

TEST(Engine, EndsAtTheContext) {
  Machine machine;
  Engine engine(machine.context, tiny(), nullptr, small_engine());
  const auto answers = run_all(engine, {greedy(3, 4090, 100)});
  EXPECT_EQ(answers[0]->ids.size(), 6u);
  EXPECT_EQ(answers[0]->outcome.reason, FinishReason::length);
}

TEST(Engine, StopIdsEndTheAnswerAndStayOut) {
  Machine machine;
  Engine engine(machine.context, tiny(), nullptr, small_engine());
  const auto whole = run_all(engine, {greedy(5, 20, 30)})[0];
  ASSERT_EQ(whole->ids.size(), 30u);
  Request r = greedy(5, 20, 30);
  r.stop_ids = {whole->ids[10]};
  const auto cut = run_all(engine, {r})[0];
  const size_t expected =
      static_cast<size_t>(std::ranges::find(whole->ids, whole->ids[10]) - whole->ids.begin());
  EXPECT_EQ(cut->ids, std::vector<int32_t>(whole->ids.begin(),
                                           whole->ids.begin() + static_cast<std::ptrdiff_t>(expected)));
  EXPECT_EQ(cut->outcome.reason, FinishReason::stop);
  EXPECT_EQ(cut->outcome.usage.completion_tokens, static_cast<int64_t>(expected));
  EXPECT_EQ(cut->finished, 1);
}

TEST(Engine, IdsWithoutATokenNeverCome) {
  Machine machine;
  const auto tokenizer = text::Tokenizer::load_text(test::small_tokenizer_json().dump(), "", "t").value();
  Engine engine(machine.context, tiny(), &tokenizer, small_engine());
  std::vector<Request> requests;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    requests.push_back(greedy(seed, 5, 200));
    requests.back().sampling.temperature = 3;
    requests.back().sampling.seed = seed;
  }
  for (const auto& a : run_all(engine, requests))
    for (int32_t id : a->ids) ASSERT_TRUE(tokenizer.has_token(id)) << id;
}

TEST(Engine, StopStringsCutTheTextNotTheIds) {
  Machine machine;
  const auto tokenizer = text::Tokenizer::load_text(test::small_tokenizer_json().dump(), "", "t").value();
  Engine engine(machine.context, tiny(), &tokenizer, small_engine());
  Request r = greedy(9, 5, 60);
  r.sampling.temperature = 1.5;
  const auto whole = run_all(engine, {r})[0];
  EXPECT_EQ(whole->text, tokenizer.decode(whole->ids));
  // A stop of bytes that come from several tokens.
  const size_t at = whole->text.size() / 2;
  r.stop = {whole->text.substr(at, 6)};
  const auto cut = run_all(engine, {r})[0];
  EXPECT_EQ(cut->text, whole->text.substr(0, whole->text.find(r.stop[0])));
  EXPECT_EQ(cut->outcome.reason, FinishReason::stop);
  EXPECT_EQ(cut->outcome.stop_string, r.stop[0]);
  EXPECT_LT(cut->ids.size(), whole->ids.size());
  EXPECT_TRUE(std::equal(cut->ids.begin(), cut->ids.end(), whole->ids.begin()));
  EXPECT_NE(tokenizer.decode(cut->ids).find(r.stop[0]), std::string::npos);
}

TEST(Engine, CancellationFreesEverythingWithinAStep) {
  Machine machine;
  Engine engine(machine.context, tiny(), nullptr, small_engine());
  const auto a = std::make_shared<Collected>(), b = std::make_shared<Collected>();
  const RequestId id = engine.submit(greedy(1, 200, 300), a);
  engine.submit(greedy(2, 30, 40), b);
  for (int i = 0; i < 3; ++i) engine.step();
  engine.cancel(id);
  EXPECT_EQ(a->finished, 0);
  engine.step();
  EXPECT_EQ(a->finished, 1);
  EXPECT_EQ(a->outcome.reason, FinishReason::cancelled);
  EXPECT_EQ(engine.stats().blocks_in_use, LatentPool::blocks_for(70));
  run_until_idle(engine);
  engine.cancel(id);       // finished already
  engine.cancel(id + 50);  // never was
  EXPECT_FALSE(engine.step());
  EXPECT_EQ(b->ids.size(), 40u);
  EXPECT_EQ(a->finished, 1);
  EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Engine, CancelsWhatWaits) {
  Machine machine;
  EngineOptions options = small_engine();
  options.max_running = 1;
  Engine engine(machine.context, tiny(), nullptr, options);
  const auto a = std::make_shared<Collected>(), b = std::make_shared<Collected>();
  engine.submit(greedy(1, 10, 5), a);
  const RequestId waiting = engine.submit(greedy(2, 10, 5), b);
  engine.step();
  engine.cancel(waiting);
  run_until_idle(engine);
  EXPECT_EQ(b->outcome.reason, FinishReason::cancelled);
  EXPECT_EQ(b->ids.size(), 0u);
  EXPECT_EQ(a->ids.size(), 5u);
}

// A large request at the head waits for room; small ones behind it do not overtake it.
TEST(Engine, NobodyIsOvertaken) {
  Machine machine;
  EngineOptions options = small_engine();
  options.cache_bytes = 8 * LatentPool::block_bytes(tiny().config, Mode::faithful);
  Engine engine(machine.context, tiny(), nullptr, options);
  std::vector<std::shared_ptr<Collected>> answers;
  const auto submit = [&](const Request& r) {
    engine.submit(r, answers.emplace_back(std::make_shared<Collected>()));
  };
  submit(greedy(1, 10, 4 * 64));
  submit(greedy(2, 10, 7 * 64));
  submit(greedy(3, 10, 10));
  while (answers[0]->finished == 0) {
    engine.step();
    ASSERT_TRUE(answers[2]->ids.empty());
  }
  run_until_idle(engine);
  for (const auto& a : answers) EXPECT_EQ(a->finished, 1);
}

TEST(Engine, ADestroyedEngineEndsItsRequests) {
  Machine machine;
  const auto a = std::make_shared<Collected>(), b = std::make_shared<Collected>();
  {
    Engine engine(machine.context, tiny(), nullptr, small_engine());
    engine.submit(greedy(1, 10, 50), a);
    engine.step();
    engine.submit(greedy(2, 10, 50), b);
  }
  EXPECT_EQ(a->outcome.reason, FinishReason::cancelled);
  EXPECT_EQ(b->outcome.reason, FinishReason::cancelled);
}

// A grammar that alternates between even and odd ids and ends after ten tokens.
class EvenOdd final : public TokenConstraint {
 public:
  explicit EvenOdd(int64_t size) : size_(size) {}
  std::span<const uint64_t> allowed() override {
    bits_.assign(token_words(size_), taken_ % 2 == 0 ? 0x5555555555555555 : 0xAAAAAAAAAAAAAAAA);
    bits_[0] &= ~uint64_t{3};
    if (taken_ >= 10) bits_.assign(bits_.size(), 0), bits_[0] = 2;
    return bits_;
  }
  void accept(int32_t token) override {
    EXPECT_TRUE(has_bit(allowed(), token));
    ++taken_;
  }

 private:
  int64_t size_, taken_ = 0;
  TokenBits bits_;
};

TEST(Engine, AConstraintHoldsWithAndWithoutDrafts) {
  Machine machine;
  std::vector<std::vector<int32_t>> ids;
  for (const bool mtp : {true, false}) {
    EngineOptions options = small_engine();
    options.drafts = DraftPolicy::always;
    Engine engine(machine.context, tiny(), nullptr, options);
    Request r = greedy(4, 12, 100);
    r.sampling.temperature = 1;
    r.mtp = mtp;
    r.stop_ids = {1};
    r.constraint = std::make_shared<EvenOdd>(vocab());
    const auto a = run_all(engine, {r})[0];
    EXPECT_EQ(a->ids.size(), 10u);
    EXPECT_EQ(a->outcome.reason, FinishReason::stop);
    EXPECT_EQ(a->outcome.usage.mtp, mtp);
    ids.push_back(a->ids);
  }
  EXPECT_EQ(ids[0], ids[1]);
}

// The settings of a request that is refused by the model's numbers end it alone.
TEST(Engine, ImpossibleConstraintEndsOnlyItsRequest) {
  class Nothing final : public TokenConstraint {
   public:
    std::span<const uint64_t> allowed() override { return bits_; }
    void accept(int32_t) override {}

   private:
    TokenBits bits_ = TokenBits(token_words(320), 0);
  };
  Machine machine;
  Engine engine(machine.context, tiny(), nullptr, small_engine());
  std::vector<Request> requests = {greedy(1, 10, 20), greedy(2, 10, 20)};
  requests[0].constraint = std::make_shared<Nothing>();
  const auto answers = run_all(engine, requests);
  EXPECT_EQ(answers[0]->outcome.reason, FinishReason::error);
  EXPECT_TRUE(answers[0]->outcome.error.has_value());
  EXPECT_EQ(answers[1]->ids.size(), 20u);
  EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Engine, ReportsUsageAndProgress) {
  Machine machine;
  EngineOptions options = small_engine();
  options.drafts = DraftPolicy::always;
  Engine engine(machine.context, tiny(), nullptr, options);
  const auto first = run_all(engine, {greedy(8, 200, 10)})[0];
  EXPECT_EQ(first->progress,
            (std::vector<std::pair<int64_t, int64_t>>{{64, 200}, {128, 200}, {192, 200}, {200, 200}}));
  EXPECT_EQ(first->outcome.usage.cached_tokens, 0);
  EXPECT_GT(first->outcome.usage.drafted, 0);
  const auto again = run_all(engine, {greedy(8, 200, 10)})[0];
  EXPECT_EQ(again->outcome.usage.cached_tokens, 192);
  EXPECT_EQ(again->ids, first->ids);
  EXPECT_EQ(again->outcome.usage.drafted, first->outcome.usage.drafted);
  EXPECT_EQ(again->outcome.usage.accepted, first->outcome.usage.accepted);
  EXPECT_EQ(engine.stats().cached_tokens, 192);
  EXPECT_EQ(engine.stats().completion_tokens, 20);
}

TEST(Engine, ABeginningComputedWithoutDraftsIsReused) {
  const test::TemporaryDirectory directory;
  Machine machine;
  std::vector<int32_t> ids;
  for (const bool from_disk : {false, true}) {
    BlockStoreOptions blocks;
    blocks.directory = directory.path();
    blocks.block_bytes = LatentPool::block_bytes(tiny().config, machine.context.mode);
    BlockStore store(blocks);
    EngineOptions options = small_engine();
    options.drafts = DraftPolicy::always;
    options.store = &store;
    Engine engine(machine.context, tiny(), nullptr, options);
    Request plain = greedy(8, 200, 10);
    plain.mtp = false;
    if (!from_disk) {
      ids = run_all(engine, {plain})[0]->ids;
      store.flush();
    }
    const auto again = run_all(engine, {greedy(8, 200, 10)})[0];
    EXPECT_EQ(again->outcome.usage.cached_tokens, 192);
    EXPECT_FALSE(again->outcome.usage.mtp);
    EXPECT_EQ(again->ids, ids);
    const auto other = run_all(engine, {greedy(9, 200, 10)})[0];
    EXPECT_TRUE(other->outcome.usage.mtp) << "nothing is known of it";
  }
}

}  // namespace
}  // namespace fathom::infer
