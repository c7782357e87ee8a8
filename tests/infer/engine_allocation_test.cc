// Decoding in its steady state allocates nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "model/residency.h"
#include "tests/infer/engine_fixture.h"

namespace {

std::atomic<int64_t> allocations = 0;

void* counted(std::size_t bytes) {
  ++allocations;
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
  throw std::bad_alloc();
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes); }
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return counted(bytes); }
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

namespace fathom::infer {
namespace {

struct Silent final : RequestListener {
  int64_t tokens = 0;
  void on_token(const TokenEvent&) override { ++tokens; }
  void on_finish(const Outcome&) override {}
};

// Allocations of 60 steps after as many to warm up.
int64_t allocations_of(const model::Options& model_options) {
  Machine machine(2, Mode::fast);
  EngineOptions options = small_engine();
  options.drafts = DraftPolicy::always;
  options.model = model_options;
  Engine engine(machine.context, TinyModel::shared().model, nullptr, options);
  const auto listener = std::make_shared<Silent>();
  for (uint64_t i = 0; i < 3; ++i) {
    Request r;
    r.prompt = random_ids(i, 20, 320);
    r.max_tokens = 400;
    r.sampling = {
        .temperature = 0.8, .top_p = i == 1 ? 0.9 : 1.0, .frequency_penalty = i == 2 ? 0.1 : 0.0, .seed = i};
    engine.submit(r, listener);
  }
  for (int i = 0; i < 60; ++i) engine.step();
  const int64_t before = allocations, tokens = listener->tokens;
  for (int i = 0; i < 60; ++i) engine.step();
  EXPECT_GE(listener->tokens - tokens, 180);
  return allocations - before;
}

TEST(EngineAllocation, DecodingAllocatesNothing) { EXPECT_EQ(allocations_of({}), 0); }

TEST(EngineAllocation, NorDoesReadingExpertsFromTheDisk) {
  const model::Model& model = TinyModel::shared().model;
  const auto dense = static_cast<uint64_t>(model::weight_bytes(model).dense);
  model::Residency residency(model, dense + dense / 16 + 6 * model::ExpertCache::expert_bytes(model));
  ASSERT_TRUE(residency.streams());
  EXPECT_EQ(allocations_of({.residency = &residency}), 0);
}

}  // namespace
}  // namespace fathom::infer
