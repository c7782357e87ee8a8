// The published DeepSeek-V3 tokenizer: recorded encodings, speed, and texts made to be slow.
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/support/build_kind.h"
#include "tests/support/cases.h"
#include "tests/support/cpu_clock.h"
#include "text/tokenizer.h"

namespace fathom::text {
namespace {

using Ids = std::vector<int32_t>;

class CasesTokenizer : public testing::Test {
 protected:
  static std::string directory() { return test::cases_directory() + "/tokenizers/deepseek-v3"; }
  void SetUp() override { FATHOM_NEEDS_CASES(); }
  static const Tokenizer& v3() {
    static const Tokenizer tokenizer = Tokenizer::load(directory()).value();
    return tokenizer;
  }
};

TEST_F(CasesTokenizer, EveryGoldenLine) {
  std::ifstream file(directory() + "/golden.jsonl");
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const Json want = parse_json(line, "golden.jsonl").value();
    const auto text = want["text"].get<std::string>();
    const Ids ids = v3().encode(text, Special::recognised);
    EXPECT_EQ(ids, want["ids"].get<Ids>()) << "line " << lines + 1;
    EXPECT_EQ(v3().decode(ids), want["decoded"].get<std::string>()) << "line " << lines + 1;
    StreamDecoder stream(v3());
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.feed(id);
    EXPECT_EQ(streamed + stream.flush(), want["decoded"].get<std::string>()) << "line " << lines + 1;
    EXPECT_EQ(v3().decode(v3().encode(text, Special::plain)), text) << "line " << lines + 1;
  }
  EXPECT_GT(lines, 700);
}

struct Sample {
  const char* text;
  Ids ids;
};

TEST_F(CasesTokenizer, SpecifiedEncodings) {
  const Sample samples[] = {
      {"Hello, world!", {19923, 14, 2058, 3}},
      {"  leading spaces", {223, 6646, 13564}},
      {"1234567", {6895, 18009, 25}},
      {"你好，世界", {30594, 303, 3427}},
      {"Can't stop\n\n\nnow", {12262, 1664, 6409, 6328, 949}},
      {"def f(x):\n    return x+1\n", {3465, 285, 4042, 3395, 361, 1354, 1527, 13, 19, 201}},
      {"3.14159 and 2024-12-26", {21, 16, 9926, 3318, 305, 223, 939, 22, 15, 736, 15, 1450}},
      {"emoji 😀 test", {18872, 7063, 53769, 225, 1950}},
      {"한국어 тест", {5634, 17564, 9227, 5565, 839}},
      {"\t\ttabs\r\nCRLF", {200, 17299, 10284, 204, 201, 8002, 68688}},
      {"#include <stdio.h>", {6201, 818, 21968, 5196, 32}},
      {"a  b   c    ", {67, 223, 291, 262, 274, 290}},
      {"I don't know.", {43, 2090, 1664, 1153, 16}},
      {"日本語テスト", {88768, 109288}},
      {"x²+½", {90, 1628, 13, 23951}},
      {"e\u0301", {71, 17793}},
      {"foo_bar.baz()", {40897, 100869, 6229, 1521, 1393}},
      {"http://a.b/c?d=e&f=1", {6900, 2272, 67, 6229, 5252, 33, 70, 91343, 8, 72, 31, 19}},
      {"<think>\n", {30, 37947, 1018}},
      {"<｜User｜>Hi<｜Assistant｜>", {128803, 23166, 128804}},
  };
  for (const Sample& s : samples) EXPECT_EQ(v3().encode(s.text, Special::recognised), s.ids) << s.text;
}

TEST_F(CasesTokenizer, R1RenamesTwoTokens) {
  std::string json = read_file(directory() + "/tokenizer.json").value();
  const auto rename = [&](const std::string& from, const std::string& to) {
    const size_t at = json.find("\"content\": \"" + from + "\""), end = json.find('}', at);
    ASSERT_NE(at, std::string::npos);
    std::string entry = json.substr(at, end - at);
    entry.replace(entry.find(from), from.size(), to);
    entry.replace(entry.find("\"normalized\": false"), 19, "\"normalized\": true");
    entry.replace(entry.find("\"special\": true"), 15, "\"special\": false");
    json.replace(at, end - at, entry);
  };
  rename("<｜place▁holder▁no▁798｜>", "<think>");
  rename("<｜place▁holder▁no▁799｜>", "</think>");
  const Tokenizer r1 = Tokenizer::load_text(json, "", "R1").value();
  EXPECT_EQ(r1.encode("<think>\n", Special::recognised), (Ids{128798, 201}));
  EXPECT_EQ(r1.encode("<think>\n\n</think>\n\nHi", Special::recognised),
            (Ids{128798, 271, 128799, 271, 23166}));
  EXPECT_FALSE(r1.is_special(128798));
  EXPECT_EQ(r1.decode(Ids{128798, 23166, 1}, false), "<think>Hi");
}

TEST_F(CasesTokenizer, KnowsItsIds) {
  EXPECT_EQ(v3().vocab_size(), 128815);
  EXPECT_EQ(v3().bos_id(), 0);
  EXPECT_EQ(v3().eos_id(), 1);
  EXPECT_EQ(v3().pad_id(), 1);
  EXPECT_TRUE(v3().add_bos());
  EXPECT_FALSE(v3().has_token(128815));
  EXPECT_EQ(v3().id_of("<｜fim▁hole｜>"), 128800);
  EXPECT_TRUE(v3().is_special(128805) && !v3().is_special(128803));
}

TEST_F(CasesTokenizer, LoadsFast) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const test::CpuClock watch;
    ASSERT_TRUE(Tokenizer::load(directory()));
    best = std::min(best, watch.seconds());
  }
  std::printf("  loading: %.3f s\n", best);
  EXPECT_LT(best, test::kFiguresCount ? 0.25 : 20.0);
}

TEST_F(CasesTokenizer, LinearOnTextsMadeToBeSlow) {
  const std::string units[] = {"a",
                               " ",
                               "!",
                               "\n",
                               "\t",
                               "1",
                               "中",
                               "é",
                               "😀",
                               "\u0301",
                               std::string(1, '\0'),
                               "a ",
                               " \n",
                               "ab1!",
                               "<｜",
                               "<｜place▁holder▁no▁",
                               "<｜User｜>",
                               "\xFF",
                               "\xF0\x9F",
                               "'s",
                               "\u3000",
                               "\u180E"};
  for (const std::string& unit : units) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    const test::CpuClock watch;
    const Ids ids = v3().encode(text, Special::recognised);
    const double seconds = watch.seconds();
    EXPECT_LT(seconds, test::kFiguresCount ? 1.0 : 60.0) << "1 MB of \"" << unit << '"';
    EXPECT_EQ(v3().decode(ids).size(),
              unit == "\xFF" || unit == "\xF0\x9F" ? 3 * text.size() / unit.size() : text.size());
  }
}

TEST_F(CasesTokenizer, Speed) {
  const std::string paragraph =
      "The keeper of the lighthouse had two habits that the village never understood: he wrote down the "
      "colour of the sea "
      "every morning at six, and he answered letters that nobody had sent. When the harbour master finally "
      "asked him about "
      "it, in the winter of 1953, he said that a colour is the only thing about water which doesn't move, "
      "and that letters, "
      "like ships, are easier to expect than to receive. \"You'd be surprised,\" he added, \"how many "
      "arrive.\"\n\nNobody "
      "argued. The ledger grew to forty-one volumes (some 12,000 pages), most of which his niece later gave "
      "to the "
      "university, where they're still used to calibrate instruments.\n";
  std::string text;
  while (text.size() < 4'000'000) text += paragraph;
  double best = 1e9;
  size_t count = 0;
  for (int i = 0; i < 3; ++i) {
    const test::CpuClock watch;
    count = v3().encode(text, Special::recognised).size();
    best = std::min(best, watch.seconds());
  }
  const double rate = static_cast<double>(text.size()) / best / 1e6;
  std::printf("  encoding English: %.1f MB/s, %.2f bytes an id\n", rate,
              static_cast<double>(text.size()) / static_cast<double>(count));
  EXPECT_GT(rate, test::kFiguresCount ? 3.0 : 0.02);
}

}  // namespace
}  // namespace fathom::text
