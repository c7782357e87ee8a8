#include "tests/support/engine_soak.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "tests/infer/engine_fixture.h"
#include "tests/support/build_kind.h"

namespace fathom::test {
namespace {

using namespace infer;

constexpr uint64_t kKinds = 40;       // different requests
constexpr double kLongestWait = 120;  // seconds without any answer: a hang

Request request_of(uint64_t kind) {
  const auto random = [kind](uint64_t salt) { return philox(kind, salt, 9)[0]; };
  Request r;
  // Three beginnings that many share, then something of its own.
  r.prompt = random_ids(kind % 3, 10 + random(0) % 260, 320);
  for (int32_t id : random_ids(100 + kind, 1 + random(1) % 60, 320)) r.prompt.push_back(id);
  r.max_tokens = 1 + random(2) % 150;
  r.sampling = {.temperature = kind % 4 == 0 ? 0.0 : 1.0, .top_p = kind % 4 == 1 ? 0.9 : 1.0, .seed = kind};
  if (kind % 5 == 0) r.sampling.repetition_penalty = 1.3;
  return r;
}

std::vector<std::vector<int32_t>> answers_alone(const Context& ctx) {
  EngineOptions o = small_engine();
  o.max_running = 1;
  o.mtp = false;
  o.share_prefixes = false;
  Engine engine(ctx, TinyModel::shared().model, nullptr, o);
  std::vector<std::vector<int32_t>> all;
  for (uint64_t kind = 0; kind < kKinds; ++kind) all.push_back(run_all(engine, {request_of(kind)})[0]->ids);
  return all;
}

size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

// Submits a request of a random kind whenever fewer than a dozen run, and cancels some after a few tokens.
class Clients {
 public:
  Clients(Engine& engine, std::vector<std::vector<int32_t>> expected)
      : engine_(engine), expected_(std::move(expected)) {}

  void run(uint64_t client, double seconds) {
    const Stopwatch clock;
    for (uint64_t turn = 0; clock.seconds() < seconds && !failed_; ++turn) {
      const auto random = [&](uint64_t salt) { return philox(client, turn, salt)[0]; };
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::duration<double>(kLongestWait),
                               [this] { return open_ < 12; }))
          return hang();
        ++open_;
      }
      const uint64_t kind = random(0) % kKinds;
      Request r = request_of(kind);
      r.mtp = random(1) % 3 != 0;
      const auto listener = std::make_shared<Listener>(*this, kind, random(2) % 3 == 0 ? random(3) % 20 : -1);
      const RequestId id = engine_.submit(std::move(r), listener);
      listener->id = id;
      if (random(4) % 9 == 0) engine_.cancel(id);
    }
  }
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::duration<double>(kLongestWait), [this] { return open_ == 0; }))
      hang();
  }
  int64_t whole() const { return whole_; }
  int64_t cancelled() const { return cancelled_; }

 private:
  struct Listener final : RequestListener {
    Clients& clients;
    const uint64_t kind;
    const int64_t cancel_after;
    std::atomic<RequestId> id = 0;
    std::vector<int32_t> ids;

    Listener(Clients& c, uint64_t k, int64_t after) : clients(c), kind(k), cancel_after(after) {}
    void on_token(const TokenEvent& e) override {
      ids.push_back(e.token);
      if (static_cast<int64_t>(ids.size()) == cancel_after) clients.engine_.cancel(id);
    }
    void on_finish(const Outcome& o) override { clients.judge(*this, o); }
  };

  void judge(const Listener& l, const Outcome& o) {
    const std::vector<int32_t>& whole = expected_[l.kind];
    const bool beginning =
        l.ids.size() <= whole.size() && std::equal(l.ids.begin(), l.ids.end(), whole.begin());
    const bool complete = o.reason == FinishReason::cancelled || l.ids.size() == whole.size();
    if (!beginning || !complete || o.error) {
      failed_ = true;
      ADD_FAILURE() << "kind " << l.kind << ": " << l.ids.size() << " of " << whole.size() << " tokens, "
                    << (beginning ? "equal" : "different");
    }
    ++(o.reason == FinishReason::cancelled ? cancelled_ : whole_);
    const std::lock_guard lock(mutex_);
    --open_;
    changed_.notify_all();
  }
  void hang() {
    failed_ = true;
    ADD_FAILURE() << "no answer for " << kLongestWait << " s";
  }

  Engine& engine_;
  const std::vector<std::vector<int32_t>> expected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int open_ = 0;
  std::atomic<int64_t> whole_ = 0, cancelled_ = 0;
  std::atomic<bool> failed_ = false;
};

}  // namespace

double soak_seconds(double otherwise) {
  const char* seconds = std::getenv("FATHOM_SOAK_SECONDS");
  return seconds == nullptr ? otherwise : std::stod(seconds);
}

void soak_engine(double seconds) {
  Machine machine(2);
  EngineOptions o = small_engine();
  o.max_running = 5;
  o.cache_bytes = 30 * LatentPool::block_bytes(TinyModel::shared().model.config, Mode::faithful);
  auto expected = answers_alone(machine.context);
  Engine engine(machine.context, TinyModel::shared().model, nullptr, o);
  Clients clients(engine, std::move(expected));
  std::thread runner([&] { engine.run(); });
  const auto phase = [&](double length, uint64_t salt) {
    std::thread other([&] { clients.run(salt + 1, length); });
    clients.run(salt, length);
    other.join();
    clients.wait_for_all();
  };
  phase(seconds / 4, 10);
  const size_t before = resident_bytes();
  phase(seconds * 3 / 4, 20);
  const size_t after = resident_bytes();
  engine.stop();
  runner.join();
  const EngineStats stats = engine.stats();
  EXPECT_EQ(stats.running + stats.waiting, 0);
  EXPECT_EQ(stats.blocks_in_use, 0);
  EXPECT_GT(clients.whole(), 0);
  EXPECT_GT(clients.cancelled(), 0);
  EXPECT_GT(stats.cached_tokens, 0);
  EXPECT_GT(stats.drafted, 0);
  if (kFiguresCount) {
    EXPECT_LT(after, before + (size_t{4} << 20));
  }
  std::printf(
      "%ld answers, %ld cancelled, %ld steps, %ld prompt tokens of which %ld found, %ld drafts, memory %+.1f "
      "MiB\n",
      static_cast<long>(clients.whole()), static_cast<long>(clients.cancelled()),
      static_cast<long>(stats.steps), static_cast<long>(stats.prompt_tokens),
      static_cast<long>(stats.cached_tokens), static_cast<long>(stats.drafted),
      (static_cast<double>(after) - static_cast<double>(before)) / 1048576);
}

}  // namespace fathom::test
