// Worker threads for parallel regions of microseconds.
//
// A region is `count` chunks; threads take the next chunk when they are free, so that a slow or descheduled
// core holds up nobody but itself, and a worker that wakes late finds nothing to do instead of being waited
// for. What a chunk computes never depends on who runs it. Waiting spins a few microseconds, then sleeps in a
// futex.
//
// Threads: run() may be called from one thread at a time, and not from inside a chunk.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/scratch.h"

namespace fathom {

class ThreadPool {
 public:
  // `threads` counts the caller: 1 creates no worker. With `cpus`, thread t of the workers runs on cpus[t]
  // alone; the caller stays where it is (cpus[0] is its share).
  explicit ThreadPool(int threads, const std::vector<int>& cpus = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(chunk, thread) for every chunk in [0, count), thread in [0, threads()), and returns when all
  // are done. An exception from a chunk is rethrown here after the region ended. Allocates nothing.
  template <class Body>
  void run(int64_t count, Body&& body) {
    run_erased(
        count,
        [](void* b, int64_t chunk, int thread) {
          (*static_cast<std::remove_reference_t<Body>*>(b))(chunk, thread);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

  // Working memory of the thread that runs a chunk, until the chunk ends.
  std::byte* scratch(int thread, size_t bytes) {
    return scratch_[static_cast<size_t>(thread)].memory.take(bytes);
  }
  // The same for whoever calls run(): chunks may read and write it, the next operation may overwrite it.
  std::byte* shared_scratch(size_t bytes) { return shared_.take(bytes); }

  // Seconds that the caller of run() has spent waiting for others since the last call: what barriers cost.
  double take_wait_seconds();
  // Regions since the last call.
  int64_t take_regions();

 private:
  using Call = void (*)(void* body, int64_t chunk, int thread);
  void run_erased(int64_t count, Call call, void* body);
  void work(int thread);
  bool take_chunks(int thread, uint32_t epoch);
  void wait_done(int64_t count);

  struct alignas(64) PaddedScratch {
    Scratch memory;
  };

  // next_ holds (epoch << 32 | next chunk). A chunk is taken by compare-and-swap, which fails once the region
  // that a late thread remembers is over; only then are call_, body_ and count_ rewritten.
  alignas(64) std::atomic<uint64_t> next_{0};
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};  // what sleeping workers wait on
  std::atomic<Call> call_{nullptr};
  std::atomic<void*> body_{nullptr};
  std::atomic<int64_t> count_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<bool> stop_{false};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  double wait_seconds_ = 0;
  int64_t regions_ = 0;
  Scratch shared_;
  std::vector<PaddedScratch> scratch_;
  std::vector<std::thread> workers_;
};

}  // namespace fathom
