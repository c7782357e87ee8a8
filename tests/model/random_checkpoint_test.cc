#include "model/random_checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/json.h"
#include "base/mapped_file.h"
#include "model/model.h"
#include "tensor/element.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom::model {
namespace {

namespace fs = std::filesystem;

std::vector<float> values(const Weight& w) {
  std::vector<float> out(static_cast<size_t>(w.rows * w.cols));
  for (int64_t r = 0; r < w.rows; ++r) dequantize_row(w, r, out.data() + r * w.cols);
  return out;
}

// All files of a directory, by name.
std::map<std::string, std::string> contents(const std::string& directory) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(directory))
    out[entry.path().filename()] = read_file(entry.path()).value();
  return out;
}

Config tiny_config() { return parse_config(test::tiny_config_text(), "config.json").value(); }

TEST(RandomCheckpoint, OpensInEveryTypeWithTheSameValues) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "f32", CheckpointType::f32);
  Model exact = open_model(dir / "f32");
  for (const CheckpointType type : {CheckpointType::bf16, CheckpointType::fp8}) {
    const std::string path = dir / (type == CheckpointType::fp8 ? "fp8" : "bf16");
    test::write_tiny_model(path, type);
    Model model = open_model(path);
    EXPECT_EQ(model.config.fp8_weights, type == CheckpointType::fp8);
    std::map<std::string, Weight> stored;
    for_each_parameter(model.config, model.parameters,
                       [&](const ParameterSpec& spec, Weight& w) { stored[spec.name] = w; });
    for_each_parameter(exact.config, exact.parameters, [&](const ParameterSpec& spec, Weight& w) {
      ASSERT_EQ(w.dtype, DType::f32) << spec.name;
      const Weight& other = stored.at(spec.name);
      const bool fp8 = type == CheckpointType::fp8 && spec.kind == ParameterKind::projection;
      const DType wanted = fp8                                       ? DType::e4m3
                           : spec.kind == ParameterKind::router_bias ? DType::f32
                                                                     : DType::bf16;
      ASSERT_EQ(other.dtype, wanted) << spec.name;
      const std::vector<float> a = values(w), b = values(other);
      for (size_t i = 0; i < a.size(); ++i) {
        const float bound = fp8 ? std::fmax(std::fabs(a[i]) / 15.9f, 1e-4f) : std::fabs(a[i]) / 256;
        ASSERT_NEAR(a[i], b[i], bound) << spec.name << " " << i;
      }
    });
  }
}

TEST(RandomCheckpoint, ValuesAreWhatInitialisationAsksFor) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "m", CheckpointType::f32);
  Model model = open_model(dir / "m");
  double squares = 0, count = 0;
  for_each_parameter(model.config, model.parameters, [&](const ParameterSpec& spec, Weight& w) {
    const std::vector<float> v = values(w);
    if (spec.kind == ParameterKind::norm || spec.kind == ParameterKind::router_bias) {
      const float wanted = spec.kind == ParameterKind::norm ? 1.0f : 0.0f;
      for (const float x : v) ASSERT_EQ(x, wanted) << spec.name;
      return;
    }
    for (const float x : v) squares += static_cast<double>(x) * x;
    count += static_cast<double>(v.size());
  });
  EXPECT_NEAR(std::sqrt(squares / count), 0.05, 0.05 * 4 / std::sqrt(2 * count));
  EXPECT_EQ(values(model.parameters.mtp[0].embed), values(model.parameters.embed));
  EXPECT_EQ(values(model.parameters.mtp[0].head), values(model.parameters.head));
  EXPECT_NE(values(model.parameters.head), values(model.parameters.embed));
  EXPECT_NE(values(model.parameters.layers[1].moe.experts[0].gate),
            values(model.parameters.layers[1].moe.experts[1].gate));
}

TEST(RandomCheckpoint, BytesDependOnTheSeedAlone) {
  const test::TemporaryDirectory dir;
  const Config config = tiny_config();
  const auto write = [&](const std::string& name, uint64_t seed, int threads) {
    ThreadPool pool(threads);
    write_random_checkpoint(config, dir / name, {.seed = seed}, pool);
    return contents(dir / name);
  };
  const auto one = write("one", 5, 1);
  EXPECT_EQ(one.size(), 1u);
  EXPECT_TRUE(one == write("three", 5, 3));
  EXPECT_FALSE(one == write("other", 6, 1));
}

TEST(RandomCheckpoint, ShardsAndSizesAreAsAnnounced) {
  const test::TemporaryDirectory dir;
  const Config config = tiny_config();
  for (const CheckpointType type : {CheckpointType::fp8, CheckpointType::bf16, CheckpointType::f32}) {
    const std::string path = dir / ("t" + std::to_string(static_cast<int>(type)));
    uint64_t reported = 0;
    ThreadPool pool(2);
    write_random_checkpoint(config, path,
                            {.type = type,
                             .files = {{"config.json", config_text_for(test::tiny_config_text(), type, "")}},
                             .max_shard_bytes = 100'000,
                             .on_written = [&](uint64_t bytes) { reported += bytes; }},
                            pool);
    EXPECT_EQ(reported, checkpoint_bytes(config, type));
    const Json index = parse_json(read_file(path + "/model.safetensors.index.json").value(), "index").value();
    EXPECT_EQ(index["metadata"]["total_size"], checkpoint_bytes(config, type));
    EXPECT_GT(open_model(path).directory.files().size(), 3u);
  }
}

TEST(RandomCheckpoint, PowersOfTwoWhenTheConfigurationSaysSo) {
  const test::TemporaryDirectory dir;
  Json document = parse_json(test::tiny_config_text(), "").value();
  document["quantization_config"] = {{"quant_method", "fp8"},
                                     {"fmt", "e4m3"},
                                     {"activation_scheme", "dynamic"},
                                     {"weight_block_size", {128, 128}},
                                     {"scale_fmt", "ue8m0"}};
  const std::string text = config_text_for(document.dump(), CheckpointType::fp8, "");
  ThreadPool pool(1);
  write_random_checkpoint(parse_config(text, "").value(), dir / "m", {.files = {{"config.json", text}}},
                          pool);
  const Model model = open_model(dir / "m");
  EXPECT_EQ(model.config.scale_format, ScaleFormat::ue8m0);
  int mantissa = 0;
  EXPECT_EQ(std::frexp(model.parameters.layers[0].dense.up.scale(0, 0), &mantissa), 0.5f);
}

TEST(RandomCheckpoint, LeavesNothingBehindWhenItFails) {
  const test::TemporaryDirectory dir;
  const Config config = tiny_config();
  ThreadPool pool(2);
  std::atomic<bool> cancelled{true};
  EXPECT_THROW(write_random_checkpoint(config, dir / "a", {.cancelled = &cancelled}, pool), Exception);
  EXPECT_FALSE(fs::exists(dir / "a"));
  // In the middle: after the first piece was reported.
  cancelled = false;
  Config large = config;
  large.vocab_size = 400'000;
  EXPECT_THROW(write_random_checkpoint(large, dir / "a",
                                       {.type = CheckpointType::f32,
                                        .cancelled = &cancelled,
                                        .on_written = [&](uint64_t) { cancelled = true; }},
                                       pool),
               Exception);
  EXPECT_FALSE(fs::exists(dir / "a"));
  ASSERT_TRUE(fs::create_directory(dir / "full"));
  ASSERT_TRUE(write_file(dir / "full/x", "mine"));
  EXPECT_THROW(write_random_checkpoint(config, dir / "full", {}, pool), Exception);
  EXPECT_EQ(contents(dir / "full").size(), 1u);
  EXPECT_THROW(write_random_checkpoint(config, dir / "absent/m", {}, pool), Exception);
  // More than any disk has.
  large.vocab_size = int64_t{1} << 24;
  large.hidden_size = int64_t{1} << 20;
  EXPECT_THROW(write_random_checkpoint(large, dir / "b", {}, pool), Exception);
  EXPECT_FALSE(fs::exists(dir / "b"));
}

TEST(CheckpointFiles, ConfigKeepsItsOrderAndSaysHowWeightsAreStored) {
  const std::string text = config_text_for(test::tiny_config_text(), CheckpointType::fp8, "");
  EXPECT_LT(text.find("architectures"), text.find("model_type"));
  EXPECT_LT(text.find("vocab_size"), text.find("hidden_size"));
  EXPECT_NE(text.find("\n  \"quantization_config\": {\n    \"activation_scheme\": \"dynamic\","),
            std::string::npos);
  EXPECT_NE(text.find("\"rms_norm_eps\": 1e-06"), std::string::npos);
  EXPECT_EQ(config_text_for(text, CheckpointType::fp8, ""), text);
  const Json f32 = Json::parse(config_text_for(text, CheckpointType::f32, ""));
  EXPECT_FALSE(f32.contains("quantization_config"));
  EXPECT_EQ(f32["torch_dtype"], "float32");
  const Json bf16 = Json::parse(config_text_for(text, CheckpointType::bf16, ""));
  EXPECT_EQ(bf16["torch_dtype"], "bfloat16");
  EXPECT_EQ(bf16.size(), f32.size());
  EXPECT_THROW(config_text_for("{}", CheckpointType::bf16, "config.json"), Exception);
}

TEST(CheckpointFiles, GenerationConfigNamesTheTokens) {
  Config config = tiny_config();
  EXPECT_EQ(
      Json::parse(generation_config_text(config)),
      Json::parse(R"({"_from_model_config": true, "bos_token_id": 0, "eos_token_id": 1, "do_sample": true,
                            "temperature": 0.6, "top_p": 0.95})"));
  config.eos_token_ids = {3, 4};
  EXPECT_EQ(Json::parse(generation_config_text(config))["eos_token_id"], Json::array({3, 4}));
  config.eos_token_ids.clear();
  EXPECT_FALSE(Json::parse(generation_config_text(config)).contains("eos_token_id"));
}

}  // namespace
}  // namespace fathom::model
