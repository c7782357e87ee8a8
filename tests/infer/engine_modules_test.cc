// A model with more MTP modules than the engine asks: it drafts with the first, and nothing else changes.
#include <gtest/gtest.h>

#include "base/json.h"
#include "model/random_checkpoint.h"
#include "tests/infer/engine_fixture.h"

namespace fathom::infer {
namespace {

TEST(EngineModules, TwoModulesDraftWithTheFirst) {
  Json config = parse_json(test::tiny_config_text(), "tiny").value();
  config["num_nextn_predict_layers"] = 2;
  const std::string text = config.dump();
  const test::TemporaryDirectory directory;
  Machine machine(2);
  model::write_random_checkpoint(model::parse_config(text, "tiny").value(), directory / "m",
                                 {.seed = 3, .files = {{"config.json", text}}}, machine.pool);
  const model::Model model = model::open_model(directory / "m");
  ASSERT_EQ(model.parameters.mtp.size(), 2u);
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 6; ++i) {
    Request r;
    r.prompt = random_ids(i, 5 + static_cast<int64_t>(i) * 30, model.config.vocab_size);
    r.max_tokens = 30;
    r.sampling = {.temperature = i % 2 == 0 ? 0.0 : 1.0, .seed = i};
    requests.push_back(r);
  }
  EngineOptions options = small_engine();
  options.drafts = DraftPolicy::always;
  Engine with(machine.context, model, nullptr, options);
  options.mtp = false;
  Engine without(machine.context, model, nullptr, options);
  const auto a = run_all(with, requests), b = run_all(without, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(a[i]->ids, b[i]->ids) << i;
    EXPECT_GT(a[i]->outcome.usage.drafted, 0);
  }
}

}  // namespace
}  // namespace fathom::infer
