// A tiny model opened once, and requests run through engines over it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "infer/engine.h"
#include "tensor/isa.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom::infer {

// What one request got; everything in it but `usage` and the times must not depend on its company.
struct Collected final : RequestListener {
  std::vector<int32_t> ids;
  std::string text;
  std::vector<float> logprobs;
  std::vector<std::pair<int64_t, int64_t>> progress;
  int finished = 0;
  Outcome outcome;

  void on_progress(int64_t done, int64_t total) override { progress.emplace_back(done, total); }
  void on_token(const TokenEvent& e) override {
    ids.push_back(e.token);
    for (const TextPiece& p : e.text) text += p.text;
    if (e.logprobs != nullptr) {
      logprobs.push_back(e.logprobs->chosen.logprob);
      for (const TokenLogprob& t : e.logprobs->top) logprobs.push_back(t.logprob);
    }
  }
  void on_finish(const Outcome& o) override {
    for (const TextPiece& p : o.text) text += p.text;
    outcome = o;
    outcome.text = {};
    ++finished;
  }
};

struct TinyModel {
  test::TemporaryDirectory directory;
  model::Model model;

  TinyModel() : model(write()) {}
  static const TinyModel& shared() {
    static const TinyModel tiny;
    return tiny;
  }

 private:
  model::Model write() {
    test::write_tiny_model(directory.path() + "/m", model::CheckpointType::fp8);
    return model::open_model(directory.path() + "/m");
  }
};

struct Machine {
  ThreadPool pool;
  Context context;

  explicit Machine(int threads = 1, Mode mode = Mode::faithful, Isa isa = best_isa()) : pool(threads) {
    context = {.backend = Backend::cpu, .mode = mode, .isa = isa, .pool = &pool};
  }
};

// `count` ids below `vocab` from a seed, none of the first four (beginning and end of sequence among them).
inline std::vector<int32_t> random_ids(uint64_t seed, int64_t count, int64_t vocab) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i)
    ids.push_back(static_cast<int32_t>(4 + philox(seed, static_cast<uint64_t>(i), 0)[0] % (vocab - 4)));
  return ids;
}

inline EngineOptions small_engine() {
  EngineOptions o;
  o.max_running = 4;
  o.prefill_chunk = 64;
  o.cache_bytes = size_t{64} << 20;
  return o;
}

inline void run_until_idle(Engine& engine) {
  while (engine.step()) {
  }
}

// Runs the requests at once.
inline std::vector<std::shared_ptr<Collected>> run_all(Engine& engine, const std::vector<Request>& requests) {
  std::vector<std::shared_ptr<Collected>> answers;
  for (const Request& r : requests) {
    answers.push_back(std::make_shared<Collected>());
    engine.submit(r, answers.back());
  }
  run_until_idle(engine);
  return answers;
}

}  // namespace fathom::infer
