// fathom generate through its command line.
#include <gtest/gtest.h>

#include <fstream>

#include "apps/byte_size.h"
#include "apps/generate_request.h"
#include "base/error.h"
#include "base/json.h"
#include "model/random_checkpoint.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"
#include "tests/text/small_tokenizer.h"

namespace fathom::apps {
namespace {

// A model with a tokenizer of 402 ids, no chat template.
class GenerateTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new test::TemporaryDirectory;
    test::write_tiny_model(*directory_ / "plain");
    std::string config = test::tiny_config_text();
    config.replace(config.find("320"), 3, "402");
    ThreadPool pool(1);
    model::write_random_checkpoint(
        model::parse_config(config, "c").value(), *directory_ / "text",
        {.type = model::CheckpointType::bf16,
         .files = {{"config.json", model::config_text_for(config, model::CheckpointType::bf16, "c")},
                   {"tokenizer.json", test::small_tokenizer_json().dump()}}},
        pool);
  }
  static void TearDownTestSuite() { delete directory_; }

  static test::ProcessResult generate(const std::string& model, std::vector<std::string> arguments,
                                      test::ProcessOptions o = {}) {
    arguments.insert(arguments.begin(), {"generate", *directory_ / model});
    return test::run_fathom(arguments, o);
  }
  static Json json(const test::ProcessResult& r) { return parse_json(r.out, "output").value(); }

  static test::TemporaryDirectory* directory_;
};
test::TemporaryDirectory* GenerateTest::directory_ = nullptr;

TEST_F(GenerateTest, IdsWorkWithoutATokenizer) {
  const auto r = generate("plain", {"--ids", "5 6 7", "--max-tokens", "6", "--temperature", "0", "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const Json out = json(r);
  EXPECT_EQ(out["ids"].size(), 6u);
  EXPECT_EQ(out["text"], "");
  EXPECT_EQ(out["finish_reason"], "length");
  EXPECT_EQ(out["usage"]["prompt_tokens"], 3);
  EXPECT_EQ(out["usage"]["completion_tokens"], 6);
  EXPECT_TRUE(out["usage"]["mtp"].is_object());
  for (const char* key : {"load_s", "prefill_s", "decode_s"})
    EXPECT_TRUE(out["timing"][key].is_number()) << key;
  const auto off = generate(
      "plain", {"--ids", "5 6 7", "--max-tokens", "6", "--temperature", "0", "--json", "--mtp", "0"});
  EXPECT_TRUE(json(off)["usage"]["mtp"].is_null());
  EXPECT_EQ(json(off)["ids"], out["ids"]);
}

TEST_F(GenerateTest, TextGetsABeginningUnlessItHasOne) {
  const auto without = generate("text", {"--prompt", "hello", "--max-tokens", "3", "--json"});
  const auto with = generate("text", {"--prompt", "<s>hello", "--max-tokens", "3", "--json"});
  ASSERT_EQ(without.code, 0) << without.err;
  EXPECT_EQ(json(without)["ids"], json(with)["ids"]);
  EXPECT_EQ(json(without)["usage"]["prompt_tokens"], json(with)["usage"]["prompt_tokens"]);
  // Without --json the text streams.
  const auto plain = generate("text", {"--prompt", "hello", "--max-tokens", "3"});
  EXPECT_EQ(plain.out, json(without)["text"].get<std::string>() + "\n");
}

TEST_F(GenerateTest, OneLineForEveryMistake) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{}, "prompt"},
      {{"--ids", "5 x"}, "--ids"},
      {{"--ids", "5 400"}, "ids from 0 to 319"},
      {{"--ids", "[]"}, "no tokens"},
      {{"--prompt", "x"}, "tokenizer"},
      {{"--chat", "x"}, "template"},
      {{"--prompt", "caf\xe9"}, "UTF-8"},
      {{"--chat", "\xed\xa0\x80"}, "UTF-8"},
      {{"--ids", "5", "--chat", "x"}, "more than one"},
      {{"--ids", "5", "--temperature", "-1"}, "temperature"},
      {{"--ids", "5", "--top-p", "7"}, "top_p"},
      {{"--ids", "5", "--logit-bias", "9"}, "--logit-bias"},
      {{"--ids", "5", "--isa", "sse"}, "--isa"},
      {{"--ids", "5", "--mode", "quick"}, "--mode"},
      {{"--ids", "5", "--backend", "cuda"}, "--backend"},
      {{"--ids", "5", "--cache-memory", "much"}, "--cache-memory"},
      {{"--ids", "5", "--cache-memory", "1K"}, "--cache-memory"},
      {{"--ids", "5", "--mtp", "2"}, "mtp"},
      {{"--ids", "5", "--format", "v9"}, "--format"},
      {{"--jsonl", "--ids", "5"}, "--jsonl"},
      {{"--ids", "5", "--stop", "x"}, "stop"},
  };
  for (const auto& [arguments, expected] : mistakes) {
    const auto r = generate("plain", arguments);
    EXPECT_EQ(r.code, 2) << expected;
    EXPECT_EQ(std::ranges::count(r.err, '\n'), 1) << r.err;
    EXPECT_LT(r.err.size(), 400u);
    EXPECT_NE(r.err.find(expected), std::string::npos) << r.err;
    EXPECT_EQ(r.out, "");
  }
}

TEST_F(GenerateTest, LinesAreAnsweredInOrderAndBadOnesByThemselves) {
  const std::string in =
      "{\"ids\": [5, 6, 7], \"max_tokens\": 40, \"temperature\": 0}\n"
      "not json\n"
      "\n"
      "{\"ids\": [5, 6, 7], \"max_tokens\": 1, \"temperature\": 0, \"logprobs\": 2}\n"
      "[1]\n"
      "{\"ids\": [999]}\n"
      "{\"ids\": [5], \"top_p\": \"x\"}\n"
      "{\"ids\": [5], \"max_tokens\": 99999999999999999999}\n"
      "{\"prompt\": \"text\"}\n"
      "{\"ids\": [5, 6, 7], \"max_tokens\": 40, \"temperature\": 0, \"mtp\": false}";
  for (const char* concurrency : {"1", "3"}) {
    const auto r =
        generate("plain", {"--jsonl", "--concurrency", concurrency, "--prefill-chunk", "16"}, {.in = in});
    ASSERT_EQ(r.code, 0) << r.err;
    std::vector<Json> lines;
    std::istringstream out(r.out);
    for (std::string line; std::getline(out, line);) lines.push_back(parse_json(line, "line").value());
    ASSERT_EQ(lines.size(), 9u);
    EXPECT_EQ(lines[0]["ids"].size(), 40u);
    EXPECT_EQ(lines[2]["logprobs"][0]["top"].size(), 2u);
    EXPECT_EQ(lines[2]["ids"][0], lines[0]["ids"][0]);
    EXPECT_EQ(lines[8]["ids"], lines[0]["ids"]);
    for (size_t bad : {1, 3, 4, 5, 6, 7}) {
      ASSERT_TRUE(lines[bad].contains("error")) << bad;
      EXPECT_NE(lines[bad]["error"].get<std::string>().find("line "), std::string::npos);
    }
  }
  const auto none = generate("plain", {"--jsonl"}, {.in = "{}\n{}\n"});
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(std::ranges::count(none.out, '\n'), 2);
  EXPECT_EQ(generate("plain", {"--jsonl"}, {.in = ""}).code, 0);
}

TEST_F(GenerateTest, FlagsAndLinesMeanTheSame) {
  const auto flags = generate("text", {"--prompt",
                                       "hello",
                                       "--max-tokens",
                                       "20",
                                       "--temperature",
                                       "1.2",
                                       "--top-k",
                                       "40",
                                       "--top-p",
                                       "0.9",
                                       "--min-p",
                                       "0.01",
                                       "--seed",
                                       "5",
                                       "--repetition-penalty",
                                       "1.1",
                                       "--presence-penalty",
                                       "0.2",
                                       "--frequency-penalty",
                                       "0.1",
                                       "--logit-bias",
                                       "70:3",
                                       "--ignore-eos",
                                       "--json"});
  const auto line = generate(
      "text", {"--jsonl"},
      {.in =
           R"({"prompt": "hello", "max_tokens": 20, "temperature": 1.2, "top_k": 40, "top_p": 0.9, "min_p": 0.01, "seed": 5,
"repetition_penalty": 1.1, "presence_penalty": 0.2, "frequency_penalty": 0.1, "logit_bias": {"70": 3}, "ignore_eos": true})"});
  // A request must stand on one line.
  EXPECT_EQ(line.code, 2);
  std::string one =
      R"({"prompt": "hello", "max_tokens": 20, "temperature": 1.2, "top_k": 40, "top_p": 0.9, "min_p": 0.01, "seed": 5, )"
      R"("repetition_penalty": 1.1, "presence_penalty": 0.2, "frequency_penalty": 0.1, "logit_bias": {"70": 3}, "ignore_eos": true})";
  const auto same = generate("text", {"--jsonl"}, {.in = one});
  ASSERT_EQ(flags.code, 0) << flags.err;
  EXPECT_EQ(json(flags)["ids"], json(same)["ids"]);
  EXPECT_EQ(json(flags)["ids"].size(), 20u);
}

TEST_F(GenerateTest, AnInterruptionLeavesWhatCameSoFar) {
  const auto start = std::chrono::steady_clock::now();
  test::ProcessOptions o;
  o.interrupt_when = [start] {
    return std::chrono::steady_clock::now() - start > std::chrono::milliseconds(700);
  };
  const auto r = generate(
      "plain", {"--ids", "5", "--max-tokens", "4000", "--temperature", "0", "--json", "--backend", "ref"}, o);
  EXPECT_EQ(r.code, 130) << r.err;
  EXPECT_EQ(json(r)["finish_reason"], "cancelled");
}

TEST(ByteSize, ReadsAmounts) {
  EXPECT_EQ(parse_byte_size("8G", "--m"), size_t{8} << 30);
  EXPECT_EQ(parse_byte_size("1.5M", "--m"), size_t{3} << 19);
  EXPECT_EQ(parse_byte_size("64KiB", "--m"), size_t{64} << 10);
  EXPECT_EQ(parse_byte_size("512", "--m"), 512u);
  for (const char* bad : {"", "G", "-1G", "1X", "nan", "1e30", "8 G"})
    EXPECT_THROW(parse_byte_size(bad, "--m"), Exception) << bad;
}

}  // namespace
}  // namespace fathom::apps
