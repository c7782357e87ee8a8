// fathom info as a user meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/json.h"
#include "base/mapped_file.h"
#include "io/model_directory.h"
#include "tests/support/official_layout.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom {
namespace {

using test::ProcessResult;
using test::run_fathom;
using testing::HasSubstr;

Json info(const std::string& directory) {
  const ProcessResult r = run_fathom({"info", directory, "--json"});
  EXPECT_EQ(r.code, 0) << r.err;
  return Json::parse(r.out);
}

// Overwrites bytes of a tensor in its file.
void spoil(const std::string& directory, const std::string& tensor, size_t at, const std::string& bytes) {
  std::string path, text;
  {
    const auto model = io::ModelDirectory::open(directory).value();
    const io::TensorRef found = model.require(tensor);
    path = found.path();
    at += found.info->offset;
  }
  text = read_file(path).value();
  text.replace(at, bytes.size(), bytes);
  write_file(path, text).value();
}

TEST(InfoCommand, OfficialModel) {
  const test::TemporaryDirectory dir;
  test::write_official_layout(dir.path());
  const Json j = info(dir.path());
  EXPECT_EQ(j["parameters"],
            Json::parse(R"({"total": 671026419200, "activated": 37552297472, "mtp": 11610068224})"))
      << j["parameters"];
  EXPECT_EQ(j["tensors"]["count"], 91991);
  EXPECT_EQ(j["tensors"]["bytes"], 688574839360);
  EXPECT_EQ(j["tensors"]["by_type"]["F8_E4M3"]["bytes"], 680571043840);
  EXPECT_EQ(j["tensors"]["by_type"]["BF16"]["bytes"], 2 * 3918786560);
  EXPECT_EQ(j["cache_bytes_per_token"],
            Json::parse(R"({"fast": 70272, "fast_mtp": 1152, "faithful": 140544, "faithful_mtp": 2304})"));
  EXPECT_EQ(j["architecture"]["moe_layers"], 58);
  EXPECT_EQ(j["mtp"], Json::parse(R"({"modules": 1, "own_embedding": true, "own_head": true})"));
  EXPECT_EQ(j["context"]["tokens"], 163840);
  const Json& memory = j["memory"];
  EXPECT_FALSE(memory["fits"].get<bool>());
  // 8 of 256 experts a layer in 58 layers, less what stays; and all the rest where it is too much for this machine.
  const double experts = 58.0 * 8 * 3 * 2048 * 7168;
  const double again = memory["every_token_fits"].get<bool>() ? 0 : memory["weights_every_token"].get<double>();
  EXPECT_NEAR(memory["disk_bytes_per_token"].get<double>(),
              experts * (1 - memory["experts_kept_share"].get<double>()) + again, 0.01 * experts);
  EXPECT_NEAR(memory["disk_tokens_per_second"].get<double>() * memory["disk_bytes_per_token"].get<double>(),
              memory["disk_rate"].get<double>(), 1.0);
  EXPECT_TRUE(j["tokenizer"].is_null());
  EXPECT_THAT(j["tokenizer_missing"].get<std::string>(), HasSubstr("tokenizer.json"));
}

TEST(InfoCommand, PageFitsTheTerminal) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "m");
  const ProcessResult r = run_fathom({"info", dir / "m", "--check"});
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.err, "");
  std::istringstream lines(r.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_GT(count, 12);
  for (const char* part : {"deepseek_v3", "3 of 8 a token", "F8_E4M3", "MTP", "tokenizer", "no NaN"})
    EXPECT_THAT(r.out, HasSubstr(part));
}

TEST(InfoCommand, CheckFindsDamage) {
  const test::TemporaryDirectory dir;
  const std::string path = dir / "m";
  test::write_tiny_model(path, model::CheckpointType::fp8, 60'000);
  EXPECT_TRUE(Json::parse(run_fathom({"info", path, "--check", "--json"}).out)["check"]["pass"].get<bool>());
  const float nan = std::nanf("");
  std::string nan_bytes(4, '\0');
  std::memcpy(nan_bytes.data(), &nan, 4);
  spoil(path, "model.layers.1.mlp.experts.5.up_proj.weight_scale_inv", 0, nan_bytes);
  spoil(path, "model.layers.2.self_attn.o_proj.weight", 100, "\x7f");
  spoil(path, "lm_head.weight", 0, "\xc0\x7f");
  const ProcessResult r = run_fathom({"info", path, "--check", "--json"});
  EXPECT_EQ(r.code, 2);
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1);
  EXPECT_LT(r.err.size(), 400u);
  EXPECT_THAT(r.err, HasSubstr("model.layers.1.mlp.experts.5.up_proj.weight_scale_inv"));
  EXPECT_THAT(r.err, HasSubstr("2 more tensors"));
  EXPECT_THAT(r.err, HasSubstr(".safetensors"));
  const Json check = Json::parse(r.out)["check"];
  EXPECT_FALSE(check["pass"].get<bool>());
  ASSERT_EQ(check["damaged"].size(), 3u);
  EXPECT_EQ(check["damaged"][2]["tensor"], "lm_head.weight");
  EXPECT_EQ(run_fathom({"info", path}).code, 0);  // without --check nothing is read
}

TEST(InfoCommand, KnowsTokenizersThatItCannotRead) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "m");
  write_file(dir / "m/tiktoken.model", "x").value();
  EXPECT_THAT(info(dir / "m")["tokenizer_missing"].get<std::string>(), HasSubstr("tiktoken.model"));
  write_file(dir / "m/tokenizer.json", "{").value();
  const ProcessResult r = run_fathom({"info", dir / "m"});
  EXPECT_EQ(r.code, 2);
  EXPECT_THAT(r.err, HasSubstr("tokenizer.json"));
}

TEST(InfoCommand, ModelsWithoutMtp) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "m", model::CheckpointType::bf16);
  Json config = Json::parse(read_file(dir / "m/config.json").value());
  config["num_nextn_predict_layers"] = 0;
  write_file(dir / "m/config.json", config.dump()).value();
  const Json j = info(dir / "m");
  EXPECT_EQ(j["mtp"]["modules"], 0);
  EXPECT_EQ(j["parameters"]["mtp"], 0);
  EXPECT_EQ(j["cache_bytes_per_token"]["fast_mtp"], 0);
  EXPECT_EQ(j["cache_bytes_per_token"]["fast"], 3 * 56 * 2);
}

}  // namespace
}  // namespace fathom
