// fathom chat as a script uses it, and what keeps a terminal safe.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "apps/answer_screen.h"
#include "base/json.h"
#include "tests/support/cases.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace fathom::apps {
namespace {

test::ProcessResult chat(const std::string& in, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {
      "chat", test::cases_directory() + "/pilot", "--temperature", "0", "--mode", "faithful"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return test::run_fathom(arguments, {.in = in});
}

TEST(CasesChat, AnswersLinesAndKeepsThoughtsApart) {
  FATHOM_NEEDS_CASES();
  const auto r = chat("What is 12 + 30?\n/think\nWhat is 348 + 275?\n");
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(r.out.starts_with("42\nThinking before answers.\nThoughts:\n8 + 5 = 13")) << r.out;
  EXPECT_TRUE(r.out.ends_with("\n\nAnswer:\n623\n")) << r.out;
  EXPECT_EQ(r.out.find('\x1b'), std::string::npos);
}

TEST(CasesChat, SavesTheConversationWithoutThoughts) {
  FATHOM_NEEDS_CASES();
  const test::TemporaryDirectory directory;
  const std::string file = directory / "talk.json";
  const auto r =
      chat("/system Be brief.\nWhat is 348 + 275?\n/retry\n/save " + file + "\n/stats\n", {"--think"});
  EXPECT_EQ(r.code, 0) << r.err;
  std::ifstream in(file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const Json saved = parse_json(text, "talk").value();
  ASSERT_EQ(saved.size(), 3u);
  EXPECT_EQ(saved[0], (Json{{"role", "system"}, {"content", "Be brief."}}));
  EXPECT_EQ(saved[1]["role"], "user");
  EXPECT_EQ(saved[2]["role"], "assistant");
  EXPECT_EQ(saved[2]["content"].get<std::string>().find("write"), std::string::npos);
  EXPECT_NE(r.out.find("tokens at"), std::string::npos);
  // An existing file is not overwritten.
  const auto again = chat("/save " + file + "\n");
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("talk.json"), std::string::npos);
}

TEST(CasesChat, AQuestionThatDoesNotFitIsTakenBack) {
  FATHOM_NEEDS_CASES();
  std::string words;
  for (int i = 0; i < 1200; ++i) words += " kernel " + std::to_string(i);
  const auto r = chat(words + "\nWhat is 12 + 30?\n");
  EXPECT_EQ(r.code, 2);
  EXPECT_NE(r.err.find("fills the context"), std::string::npos) << r.err;
  EXPECT_EQ(r.out, "42\n");
}

TEST(CasesChat, SystemNewAndUnknownCommands) {
  FATHOM_NEEDS_CASES();
  const auto r = chat("/retry\n/system a\n/system b\n/new\n/bogus\n/system\n/quit\nWhat is 12 + 30?\n");
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.out,
            "Nothing was asked yet.\nSystem text set.\nSystem text set.\nA new conversation.\nNo such "
            "command; /help lists "
            "them.\nNo system text.\n");
}

TEST(AnswerScreen, ControlCharactersDoNotReachTheTerminal) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(printable("a\x1b[2Jb"), "a" + mark + "[2Jb");
  EXPECT_EQ(printable("line\n\ttab"), "line\n\ttab");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m \x7F"),
            mark + "31m " + mark);
  EXPECT_EQ(printable("z\xC3\xB3\xC5\x82"), "z\xC3\xB3\xC5\x82");
}

}  // namespace
}  // namespace fathom::apps
