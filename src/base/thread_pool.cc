#include "base/thread_pool.h"

#include <immintrin.h>
#include <sched.h>

#include "base/check.h"
#include "base/clock.h"

namespace fathom {
namespace {

// About 30 microseconds of pauses: longer than the serial stretch between two regions of a decoding step, shorter than
// a time slice.
constexpr int kSpins = 600;

// A chunk number that no region reaches.
constexpr uint64_t kClosed = 0xFFFFFFFF;

// A CPU that has gone away since the placement was made only costs the pinning.
void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  (void)::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace

ThreadPool::ThreadPool(int threads, const std::vector<int>& cpus) {
  FATHOM_CHECK(threads >= 1 && (cpus.empty() || static_cast<int>(cpus.size()) == threads));
  scratch_.resize(static_cast<size_t>(threads));
  workers_.reserve(static_cast<size_t>(threads - 1));
  for (int t = 1; t < threads; ++t) {
    const int cpu = cpus.empty() ? -1 : cpus[static_cast<size_t>(t)];
    workers_.emplace_back([this, t, cpu] {
      if (cpu >= 0) pin_to(cpu);
      work(t);
    });
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (auto& w : workers_) w.join();
}

void ThreadPool::run_erased(int64_t count, Call call, void* body) {
  FATHOM_CHECK(count >= 0 && count < (int64_t{1} << 31));
  if (workers_.empty() || count <= 1) {
    for (int64_t c = 0; c < count; ++c) call(body, c, 0);
    return;
  }
  const uint32_t epoch = epoch_.load(std::memory_order_relaxed) + 1;
  // Closed before anything is rewritten: a late thread that still holds the last region's next chunk must not find it
  // below the new count. Whoever reads one of the new values then fails to take a chunk of the old region.
  next_.store(uint64_t{epoch} << 32 | kClosed, std::memory_order_relaxed);
  call_.store(call, std::memory_order_release);
  body_.store(body, std::memory_order_release);
  count_.store(count, std::memory_order_release);
  done_.store(0, std::memory_order_relaxed);
  next_.store(uint64_t{epoch} << 32, std::memory_order_release);
  epoch_.store(epoch);
  if (sleepers_.load() > 0) epoch_.notify_all();
  take_chunks(0, epoch);
  wait_done(count);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool ThreadPool::take_chunks(int thread, uint32_t epoch) {
  bool any = false;
  uint64_t next = next_.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(next >> 32) == epoch) {
    const int64_t chunk = static_cast<int64_t>(next & 0xFFFFFFFF);
    const int64_t count = count_.load(std::memory_order_acquire);
    const Call call = call_.load(std::memory_order_acquire);
    void* body = body_.load(std::memory_order_acquire);
    if (chunk >= count) break;
    if (!next_.compare_exchange_weak(next, next + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    try {
      call(body, chunk, thread);
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    any = true;
    if (done_.fetch_add(1) + 1 == count && caller_sleeps_.load()) done_.notify_one();
    next = next_.load(std::memory_order_acquire);
  }
  return any;
}

void ThreadPool::wait_done(int64_t count) {
  if (done_.load(std::memory_order_acquire) == count) return;
  const Stopwatch watch;
  for (int i = 0; i < kSpins; ++i) {
    if (done_.load(std::memory_order_acquire) == count) break;
    _mm_pause();
  }
  caller_sleeps_.store(true);
  for (int64_t seen = done_.load(); seen != count; seen = done_.load()) done_.wait(seen);
  caller_sleeps_.store(false);
  wait_seconds_ += watch.seconds();
}

void ThreadPool::work(int thread) {
  uint32_t seen = 0;
  while (!stop_.load(std::memory_order_relaxed)) {
    uint32_t epoch = epoch_.load();
    for (int i = 0; epoch == seen && i < kSpins; ++i) {
      _mm_pause();
      epoch = epoch_.load();
    }
    if (epoch == seen) {
      sleepers_.fetch_add(1);
      epoch_.wait(seen);
      sleepers_.fetch_sub(1);
      continue;
    }
    seen = epoch;
    take_chunks(thread, epoch);
  }
}

double ThreadPool::take_wait_seconds() { return std::exchange(wait_seconds_, 0.0); }

}  // namespace fathom
