// A weight with a scale that is no number ends the requests that need it, and no other.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/infer/engine_fixture.h"

namespace fathom::infer {
namespace {

// The tiny model, the scales of one expert's matrix overwritten with NaN.
class Damaged {
 public:
  explicit Damaged(const std::string& tensor) : model_(write(tensor)) {}
  const model::Model& model() const { return model_; }

 private:
  model::Model write(const std::string& tensor) {
    const std::string path = directory_ / "m";
    test::write_tiny_model(path, model::CheckpointType::fp8);
    std::string file;
    size_t offset = 0, bytes = 0;
    {
      const auto opened = io::ModelDirectory::open(path).value();
      const io::TensorRef scales = opened.require(tensor + "_scale_inv");
      file = scales.path();
      offset = static_cast<size_t>(scales.data - scales.file->file().data());
      bytes = scales.bytes;
    }
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(offset));
    const float nan = NAN;
    for (size_t i = 0; i < bytes; i += sizeof nan) out.write(reinterpret_cast<const char*>(&nan), sizeof nan);
    out.close();
    return model::open_model(path);
  }
  test::TemporaryDirectory directory_;
  model::Model model_;
};

TEST(EngineDamage, EndsOnlyTheRequestsThatReachTheExpert) {
  const Damaged damaged("model.layers.2.mlp.experts.5.down_proj.weight");
  Machine machine;
  // Short answers, so that some requests never use the expert.
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 24; ++i) {
    Request r;
    r.prompt = random_ids(i, 1, 320);
    r.max_tokens = 1;
    r.sampling.temperature = 0;
    requests.push_back(r);
  }
  EngineOptions options = small_engine();
  options.max_running = 24;
  Engine whole(machine.context, TinyModel::shared().model, nullptr, options);
  const auto expected = run_all(whole, requests);
  Engine engine(machine.context, damaged.model(), nullptr, options);
  const auto answers = run_all(engine, requests);
  int bad = 0, good = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]->outcome.error) {
      ++bad;
      EXPECT_NE(answers[i]->outcome.error->line().find("experts.5.down_proj"), std::string::npos);
    } else {
      ++good;
      EXPECT_EQ(answers[i]->ids, expected[i]->ids);
    }
  }
  EXPECT_GT(bad, 0);
  EXPECT_GT(good, 0);
  EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(EngineDamage, ADamagedModuleEndsRequestsThatDraft) {
  const Damaged damaged("model.layers.3.self_attn.o_proj.weight");
  Machine machine;
  Engine engine(machine.context, damaged.model(), nullptr, small_engine());
  Request drafts;
  drafts.prompt = random_ids(1, 8, 320);
  drafts.max_tokens = 8;
  drafts.sampling.temperature = 0;
  Request plain = drafts;
  plain.mtp = false;
  const auto answers = run_all(engine, {drafts, plain});
  EXPECT_EQ(answers[0]->outcome.reason, FinishReason::error);
  EXPECT_EQ(answers[1]->ids.size(), 8u);
}

}  // namespace
}  // namespace fathom::infer
