#include "apps/tokenize_chat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/json.h"
#include "tests/support/cases.h"

namespace fathom::apps {
namespace {

class CasesTokenizeChat : public testing::Test {
 protected:
  void SetUp() override {
    FATHOM_NEEDS_CASES();
    options_.directory = test::cases_directory() + "/pilot";
  }

  std::vector<Json> run(const std::string& input) {
    const auto tokenizer = text::Tokenizer::load(test::cases_directory() + "/pilot").value();
    std::istringstream in(input);
    std::vector<Json> lines;
    tokenize_chat(tokenizer, options_, in,
                  [&](const std::string& line) { lines.push_back(parse_json(line, "answer").value()); });
    return lines;
  }

  ChatLineOptions options_;
};

const std::string kUser = R"("messages": [{"role": "user", "content": "a<｜User｜>"}])";

TEST_F(CasesTokenizeChat, OneLineForEach) {
  const auto lines = run("{" + kUser + R"(, "thinking": true, "add_generation_prompt": true, "tools": [1]})" +
                         "\n" + "broken\n\n[]\n{}\n{" + kUser + R"(, "thinking": 1})" + "\n{" + kUser +
                         R"(, "format": "v9"})" + "\n{" + kUser + R"(, "thinking": null, "tools": null})");
  ASSERT_EQ(lines.size(), 8u);
  EXPECT_EQ(lines[0]["rendered"], "<｜begin▁of▁sentence｜><｜User｜>a<｜User｜><｜Assistant｜><think>");
  for (int i = 1; i < 7; ++i) EXPECT_TRUE(lines[i].size() == 1 && lines[i]["error"].is_string()) << i;
  EXPECT_EQ(lines[7]["rendered"], "<｜begin▁of▁sentence｜><｜User｜>a<｜User｜>");
}

TEST_F(CasesTokenizeChat, FormatOfTheLineWinsOverTheOption) {
  options_.format = text::ChatFormat::kR1;
  const auto lines = run("{" + kUser + R"(, "add_generation_prompt": true})" + "\n{" + kUser +
                         R"(, "add_generation_prompt": true, "format": "v3"})");
  EXPECT_TRUE(lines.at(0)["rendered"].get<std::string>().ends_with("<｜Assistant｜><think>\n"));
  EXPECT_TRUE(lines.at(1)["rendered"].get<std::string>().ends_with("<｜Assistant｜>"));
}

TEST_F(CasesTokenizeChat, PlainMessagesMakeNoSpecialTokens) {
  const auto recognised = run("{" + kUser + "}").at(0);
  options_.special = text::Special::plain;
  const auto plain = run("{" + kUser + "}").at(0);
  EXPECT_EQ(recognised["rendered"], plain["rendered"]);
  EXPECT_EQ(recognised["ids"].size(), 4u);
  const auto ids = plain["ids"].get<std::vector<int>>();
  EXPECT_EQ(std::count(ids.begin(), ids.end(), recognised["ids"][1].get<int>()), 1);
}

TEST_F(CasesTokenizeChat, AnUnknownDirectoryFormatStopsOnlyWhereItIsNeeded) {
  options_.directory += "/none";
  EXPECT_EQ(run("{" + kUser + R"(, "format": "v3"})").size(), 1u);
  EXPECT_THROW(run("{" + kUser + "}"), Exception);
}

}  // namespace
}  // namespace fathom::apps
