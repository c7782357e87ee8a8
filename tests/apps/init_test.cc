// fathom init as a user meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/support/build_kind.h"
#include "tests/support/cases.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom {
namespace {

namespace fs = std::filesystem;
using test::ProcessOptions;
using test::ProcessResult;
using test::run_fathom;
using testing::HasSubstr;

class InitCommand : public testing::Test {
 protected:
  InitCommand() { put_config("{}"); }
  // The tiny configuration with changes, as a JSON merge patch.
  void put_config(const std::string& patch) {
    OrderedJson config = OrderedJson::parse(test::tiny_config_text());
    config.merge_patch(OrderedJson::parse(patch));
    write_file(dir_ / "config.json", config.dump(1)).value();
  }
  ProcessResult init(std::vector<std::string> more = {}, const ProcessOptions& options = {}) {
    std::vector<std::string> all = {"init",  "--config", dir_ / "config.json", "--seed", "7",
                                    "--out", dir_ / "m"};
    if (std::find(more.begin(), more.end(), "--dtype") == more.end())
      all.insert(all.end(), {"--dtype", "fp8"});
    all.insert(all.end(), more.begin(), more.end());
    return run_fathom(all, options);
  }
  void expect_refused(const ProcessResult& r, const std::string& says) {
    EXPECT_EQ(r.code, 2) << says;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
    EXPECT_LT(r.err.size(), 400u);
    EXPECT_THAT(r.err, HasSubstr(says));
  }
  // What lies beside the configuration.
  std::vector<std::string> left_over() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path()))
      if (entry.path().filename() != "config.json") names.push_back(entry.path().filename());
    return names;
  }

  test::TemporaryDirectory dir_;
};

TEST_F(InitCommand, EveryCommandWorksOnTheResult) {
  for (const std::string dtype : {"fp8", "bf16", "f32"}) {
    const ProcessResult r = init({"--dtype", dtype, "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    const Json result = Json::parse(r.out);
    EXPECT_EQ(result["tokenizer"], "bytes");
    EXPECT_EQ(result["seed"], 7);
    const Json j = Json::parse(run_fathom({"info", dir_ / "m", "--check", "--json"}).out);
    EXPECT_EQ(j["tensors"]["bytes"], result["bytes"]);
    EXPECT_EQ(j["chat_format"], "v3.1");
    EXPECT_EQ(j["tokenizer"], Json::parse(R"({"vocab_size": 278, "bos": 0, "eos": 1})"));
    EXPECT_TRUE(j["check"]["pass"].get<bool>());
    EXPECT_EQ(j["tensors"]["by_type"].contains("F8_E4M3"), dtype == "fp8");
    const ProcessResult chat = run_fathom({"tokenize", dir_ / "m", "--chat"},
                                          {.in = R"({"messages": [{"role": "user", "content": "Hi"}], )"
                                                 R"("add_generation_prompt": true, "thinking": true})"
                                                 "\n"});
    EXPECT_EQ(Json::parse(chat.out)["rendered"], "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>");
    const ProcessResult answer =
        run_fathom({"generate", dir_ / "m", "--chat", "Hi", "--max-tokens", "4", "--json"});
    EXPECT_EQ(answer.code, 0) << answer.err;
    EXPECT_LE(Json::parse(answer.out)["ids"].size(), 4u);
    fs::remove_all(dir_ / "m");
  }
}

TEST_F(InitCommand, TakesTheTokenizerOfADirectory) {
  ASSERT_EQ(init().code, 0);
  fs::rename(dir_ / "m", dir_ / "first");
  write_file(dir_ / "first/chat_template.jinja", "{{ x }}").value();
  const ProcessResult r = init({"--tokenizer", dir_ / "first", "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(Json::parse(r.out)["tokenizer"], "copied");
  for (const std::string name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"})
    EXPECT_EQ(read_file(dir_ / ("m/" + name)).value(), read_file(dir_ / ("first/" + name)).value());
  fs::remove_all(dir_ / "m");
  put_config(R"({"vocab_size": 200})");
  expect_refused(init({"--tokenizer", dir_ / "first"}), "vocab_size");
  expect_refused(init({"--tokenizer", dir_ / "absent"}), "absent");
  write_file(dir_ / "first/tokenizer.json", "{").value();
  expect_refused(init({"--tokenizer", dir_ / "first"}), "tokenizer.json");
  EXPECT_FALSE(fs::exists(dir_ / "m"));
}

TEST_F(InitCommand, SmallVocabulariesGetNoTokenizer) {
  put_config(R"({"vocab_size": 277})");
  const ProcessResult r = init({"--json"});
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(Json::parse(r.out)["tokenizer"], "none");
  EXPECT_THAT(r.err, HasSubstr("--tokenizer"));
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1);
  EXPECT_FALSE(fs::exists(dir_ / "m/tokenizer.json"));
  EXPECT_EQ(run_fathom({"info", dir_ / "m"}).code, 0);
}

TEST_F(InitCommand, WritesTheFilesThatGoWithTheWeights) {
  put_config(
      R"({"eos_token_id": [5, 6], "torch_dtype": null, "dtype": "float16", "extra": {"kept": [1, 2]}})");
  ASSERT_EQ(init({"--dtype", "f32"}).code, 0);
  const Json config = Json::parse(read_file(dir_ / "m/config.json").value());
  EXPECT_EQ(config["dtype"], "float32");
  EXPECT_FALSE(config.contains("torch_dtype"));
  EXPECT_FALSE(config.contains("quantization_config"));
  EXPECT_EQ(config["extra"], Json::parse(R"({"kept": [1, 2]})"));
  const Json generation = Json::parse(read_file(dir_ / "m/generation_config.json").value());
  EXPECT_EQ(generation["eos_token_id"], Json::array({5, 6}));
  EXPECT_EQ(generation["temperature"], 0.6);
  const Json info = Json::parse(run_fathom({"info", dir_ / "m", "--json"}).out);
  EXPECT_EQ(info["tokenizer"]["eos"], 5);
}

TEST_F(InitCommand, LeavesNothingBehindWhenItCannot) {
  fs::create_directory(dir_ / "m");
  write_file(dir_ / "m/mine", "x").value();
  expect_refused(init(), "not empty");
  EXPECT_EQ(read_file(dir_ / "m/mine").value(), "x");
  fs::remove_all(dir_ / "m");
  expect_refused(run_fathom({"init", "--config", dir_ / "config.json", "--seed", "1", "--dtype", "fp8",
                             "--out", dir_ / "absent/m"}),
                 "absent");
  expect_refused(init({"--dtype", "int4"}), "--dtype");
  put_config(R"({"vocab_size": 16777216, "hidden_size": 1048576})");
  expect_refused(init(), "bytes and ");  // needed and free
  put_config(R"({"scoring_func": "softmax"})");
  expect_refused(init(), "scoring_func");
  fs::remove(dir_ / "config.json");
  expect_refused(init(), "config.json");
  EXPECT_TRUE(left_over().empty());
}

TEST_F(InitCommand, AFullDiskIsAnError) {
  expect_refused(init({}, {.file_size_limit = 100'000}), "cannot write");
  EXPECT_TRUE(left_over().empty());
}

TEST_F(InitCommand, CtrlCLeavesNothingBehind) {
  put_config(R"({"vocab_size": 2000000, "num_nextn_predict_layers": 0})");
  const ProcessResult r =
      init({"--dtype", "f32"}, {.interrupt_when = [&] { return fs::exists(dir_ / "m"); }});
  EXPECT_EQ(r.code, 130);
  EXPECT_THAT(r.err, HasSubstr("interrupted"));
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(left_over().empty());
}

TEST_F(InitCommand, HoldsLittleMemory) {
  // 0.5 GB of weights.
  put_config(
      R"({"vocab_size": 320, "hidden_size": 2048, "moe_intermediate_size": 1024, "n_routed_experts": 24})");
  const ProcessResult r = init({"--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const double bytes = Json::parse(r.out)["bytes"], seconds = Json::parse(r.out)["seconds"];
  std::printf("%.2f GB in %.2f s, %.0f MB resident\n", bytes / 1e9, seconds,
              static_cast<double>(r.max_resident) / 1e6);
  EXPECT_GT(bytes, 0.4e9);
  if (test::kFiguresCount) {
    EXPECT_LT(r.max_resident, size_t{250} << 20);
  }
}

}  // namespace
}  // namespace fathom
