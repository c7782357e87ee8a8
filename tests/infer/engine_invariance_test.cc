// What a request gets never depends on its company: the same bytes, log-probabilities included.
#include <gtest/gtest.h>

#include "tests/infer/engine_fixture.h"

namespace fathom::infer {
namespace {

struct Setting {
  int64_t chunk = 64, together = 1;
  int threads = 1;
  bool mtp = true, share = true;
  int rounds = 1;  // the last one counts: with `share` it finds its prompts in the cache
};

std::vector<Request> requests(const model::Model& m) {
  std::vector<Request> all;
  for (uint64_t i = 0; i < 12; ++i) {
    Request r;
    r.prompt = random_ids(i / 2, 3 + 37 * static_cast<int64_t>(i), m.config.vocab_size);
    r.max_tokens = 24;
    r.sampling.temperature = i % 3 == 0 ? 0 : 0.9;
    if (i % 3 == 2) r.sampling.top_p = 0.9;
    if (i % 4 == 3) r.sampling.repetition_penalty = 1.2, r.sampling.frequency_penalty = 0.3;
    r.sampling.seed = 100 + i;
    r.logprobs = 2;
    all.push_back(r);
  }
  return all;
}

std::vector<std::shared_ptr<Collected>> run(Mode mode, Isa isa, const Setting& s) {
  const model::Model& m = TinyModel::shared().model;
  Machine machine(s.threads, mode, isa);
  EngineOptions o = small_engine();
  o.prefill_chunk = s.chunk;
  o.max_running = s.together;
  o.mtp = s.mtp;
  o.share_prefixes = s.share;
  Engine engine(machine.context, m, nullptr, o);
  std::vector<std::shared_ptr<Collected>> answers;
  for (int round = 0; round < s.rounds; ++round) answers = run_all(engine, requests(m));
  if (s.share && s.rounds > 1) {
    EXPECT_GT(engine.stats().cached_tokens, 0);
  }
  EXPECT_EQ(engine.stats().blocks_in_use, 0);
  return answers;
}

TEST(EngineInvariance, TheSameBytesInAnyCompany) {
  const Setting settings[] = {
      {.together = 12},
      {.chunk = 16, .together = 5},
      {.chunk = 512, .together = 12, .threads = 2},
      {.chunk = 7, .together = 3, .mtp = false},
      {.together = 12, .threads = 2, .rounds = 2},
      {.chunk = 33, .together = 4, .mtp = false, .share = true, .rounds = 2},
      {.together = 2, .share = false},
  };
  for (const Mode mode : {Mode::faithful, Mode::fast})
    for (const Isa isa : available_isas()) {
      const auto alone = run(mode, isa, {});
      for (size_t s = 0; s < std::size(settings); ++s) {
        const auto other = run(mode, isa, settings[s]);
        for (size_t i = 0; i < alone.size(); ++i) {
          ASSERT_EQ(alone[i]->ids.size(), 24u);
          ASSERT_EQ(other[i]->ids, alone[i]->ids) << name_of(isa) << ", setting " << s << ", request " << i;
          ASSERT_EQ(other[i]->logprobs, alone[i]->logprobs)
              << name_of(isa) << ", setting " << s << ", request " << i;
        }
      }
    }
}

}  // namespace
}  // namespace fathom::infer
