// Requests submitted and cancelled from many threads while the engine runs on its own.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/infer/engine_fixture.h"

namespace fathom::infer {
namespace {

struct Counter final : RequestListener {
  std::atomic<int>& finished;
  std::atomic<int64_t>& tokens;
  Counter(std::atomic<int>& f, std::atomic<int64_t>& t) : finished(f), tokens(t) {}
  void on_token(const TokenEvent&) override { ++tokens; }
  void on_finish(const Outcome&) override { ++finished; }
};

TEST(EngineThreads, SubmitAndCancelFromEverywhere) {
  Machine machine(2);
  Engine engine(machine.context, TinyModel::shared().model, nullptr, small_engine());
  std::thread runner([&] { engine.run(); });
  std::atomic<int> finished = 0;
  std::atomic<int64_t> tokens = 0;
  constexpr int kClients = 4, kEach = 12;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c)
    clients.emplace_back([&, c] {
      for (int i = 0; i < kEach; ++i) {
        Request r;
        r.prompt = random_ids(static_cast<uint64_t>(i % 3), 70, 320);
        r.max_tokens = 6;
        r.sampling.seed = static_cast<uint64_t>(c);
        const RequestId id = engine.submit(r, std::make_shared<Counter>(finished, tokens));
        if (i % 4 == 3) engine.cancel(id);
        (void)engine.stats();
        if (i % 5 == 0) std::this_thread::yield();
      }
    });
  for (auto& t : clients) t.join();
  while (finished < kClients * kEach) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  engine.stop();
  runner.join();
  EXPECT_EQ(engine.stats().running + engine.stats().waiting, 0);
  EXPECT_EQ(engine.stats().blocks_in_use, 0);
  EXPECT_GT(tokens, 0);
}

// A listener that submits the next request and cancels itself from inside its own events.
struct Chain final : RequestListener {
  Engine& engine;
  std::atomic<int>& left;
  explicit Chain(Engine& e, std::atomic<int>& l) : engine(e), left(l) {}
  void on_token(const TokenEvent&) override {}
  void on_finish(const Outcome&) override {
    if (--left <= 0) return engine.stop();
    Request r;
    r.prompt = {5, 6, 7};
    r.max_tokens = 2;
    engine.submit(r, std::make_shared<Chain>(engine, left));
  }
};

TEST(EngineThreads, ListenersMaySubmit) {
  Machine machine;
  Engine engine(machine.context, TinyModel::shared().model, nullptr, small_engine());
  std::atomic<int> left = 5;
  Request r;
  r.prompt = {5, 6, 7};
  r.max_tokens = 2;
  engine.submit(r, std::make_shared<Chain>(engine, left));
  engine.run();
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace fathom::infer
