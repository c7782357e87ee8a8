// 200 prompts of the pilot: the same bytes in any company, in each mode and on each instruction set.
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "tests/infer/engine_fixture.h"
#include "tests/support/cases.h"
#include "text/tokenizer.h"

namespace fathom::infer {
namespace {

std::vector<Request> pilot_requests(const text::Tokenizer& tokenizer) {
  const std::string begin = "<｜begin▁of▁sentence｜>", user = "<｜User｜>", assistant = "<｜Assistant｜>";
  const char* words[] = {"garden", "river", "forelock", "harbor", "kernel", "window", "bridge", "letter"};
  std::vector<Request> all;
  for (int i = 0; i < 200; ++i) {
    const std::string word = words[i % 8], n = std::to_string(100 + i * 37 % 899),
                      m = std::to_string(100 + i * 91 % 899);
    const std::string texts[] = {
        begin + user + "What is " + n + " + " + m + "?" + assistant + "<think>",
        begin + user + "Reverse the word \"" + word + "\"." + assistant + "</think>",
        begin + "The " + word + " provides " + n + " options to",
        begin + user + "What does \"" + word + "\" mean? Answer in " + n + " words." + assistant + "</think>",
    };
    Request r;
    r.prompt = tokenizer.encode(texts[i / 2 % 4], text::Special::recognised);
    if (i % 5 == 0) {  // a long one
      const std::vector<int32_t> once = tokenizer.encode(texts[2], text::Special::recognised);
      while (r.prompt.size() < 200) r.prompt.insert(r.prompt.end(), once.begin() + 1, once.end());
    }
    r.max_tokens = 32;
    r.stop_ids = {1};
    r.sampling.temperature = i % 2 == 0 ? 0 : 0.8;
    r.sampling.top_p = i % 4 == 1 ? 0.95 : 1;
    r.sampling.seed = static_cast<uint64_t>(i);
    r.logprobs = 1;
    all.push_back(r);
  }
  return all;
}

struct Company {
  int64_t chunk = 512, together = 1;
  int threads = 1;
  bool mtp = true;
  int rounds = 1;
};

TEST(LargeCasesPilotInvariance, TheSameBytesInAnyCompany) {
  FATHOM_NEEDS_CASES();
  const std::string directory = test::cases_directory() + "/pilot";
  const model::Model model = model::open_model(directory);
  const auto tokenizer = text::Tokenizer::load(directory).value();
  const std::vector<Request> requests = pilot_requests(tokenizer);
  const auto run = [&](Mode mode, Isa isa, const Company& c) {
    Machine machine(c.threads, mode, isa);
    EngineOptions o;
    o.prefill_chunk = c.chunk;
    o.max_running = c.together;
    o.mtp = c.mtp;
    Engine engine(machine.context, model, &tokenizer, o);
    std::vector<std::shared_ptr<Collected>> answers;
    for (int round = 0; round < c.rounds; ++round) answers = run_all(engine, requests);
    return answers;
  };
  const Company others[] = {{.chunk = 16, .together = 16, .threads = 2},
                            {.chunk = 64, .together = 16, .mtp = false},
                            {.chunk = 512, .together = 16, .threads = 2, .rounds = 2}};
  for (const Mode mode : {Mode::faithful, Mode::fast})
    for (const Isa isa : available_isas()) {
      const auto alone = run(mode, isa, {});
      for (const Company& c : others) {
        const auto other = run(mode, isa, c);
        for (size_t i = 0; i < alone.size(); ++i) {
          ASSERT_EQ(other[i]->ids, alone[i]->ids)
              << name_of(isa) << ", chunk " << c.chunk << ", request " << i;
          ASSERT_EQ(other[i]->text, alone[i]->text);
          ASSERT_EQ(other[i]->logprobs, alone[i]->logprobs)
              << name_of(isa) << ", chunk " << c.chunk << ", request " << i;
        }
      }
    }
}

}  // namespace
}  // namespace fathom::infer
