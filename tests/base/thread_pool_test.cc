#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "base/clock.h"

namespace fathom {
namespace {

TEST(ThreadPool, EveryChunkRunsOnceForAnyNumberOfThreads) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
      pool.run(count, [&](int64_t chunk, int thread) {
        ASSERT_LT(thread, threads);
        seen[static_cast<size_t>(chunk)].fetch_add(1);
      });
      for (auto& s : seen) ASSERT_EQ(s.load(), 1);
    }
  }
}

TEST(ThreadPool, ManySmallRegionsInARow) {
  ThreadPool pool(4);
  int64_t total = 0;
  std::vector<int64_t> part(16);
  for (int region = 0; region < 20000; ++region) {
    const int64_t count = region % 17;
    pool.run(count, [&](int64_t chunk, int) { part[static_cast<size_t>(chunk)] = chunk + region; });
    for (int64_t c = 0; c < count; ++c) total += part[static_cast<size_t>(c)] - region;
  }
  int64_t expected = 0;
  for (int region = 0; region < 20000; ++region) expected += (region % 17) * (region % 17 - 1) / 2;
  EXPECT_EQ(total, expected);
}

// A thread that comes late holds the next chunk of a short region while a longer one begins, where that number exists.
TEST(ThreadPool, ALateThreadTakesNoChunkOfTheNextRegion) {
  ThreadPool pool(3);
  const Stopwatch clock;
  for (int64_t region = 0; clock.seconds() < 3; ++region) {
    const int64_t count = region % 2 == 0 ? 2 : 60;
    std::vector<std::atomic<int>> seen(60);
    pool.run(count, [&](int64_t chunk, int) { seen[static_cast<size_t>(chunk)].fetch_add(1); });
    for (int64_t c = 0; c < 60; ++c) ASSERT_EQ(seen[static_cast<size_t>(c)].load(), c < count ? 1 : 0);
  }
}

TEST(ThreadPool, AnExceptionReachesTheCallerAndThePoolGoesOn) {
  ThreadPool pool(3);
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(pool.run(20,
                          [&](int64_t chunk, int) {
                            if (chunk == round % 20) throw std::runtime_error("chunk");
                          }),
                 std::runtime_error);
    std::atomic<int> ran{0};
    pool.run(20, [&](int64_t, int) { ran.fetch_add(1); });
    EXPECT_EQ(ran.load(), 20);
  }
}

TEST(ThreadPool, WorkersSleepBetweenDistantRegionsAndWakeAgain) {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> ran{0};
    pool.run(8, [&](int64_t, int) { ran.fetch_add(1); });
    EXPECT_EQ(ran.load(), 8);
  }
}

}  // namespace
}  // namespace fathom
