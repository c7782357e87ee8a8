// The tokenize command as a user meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <sstream>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/support/temporary_directory.h"
#include "tests/text/small_tokenizer.h"
#include "tests/support/cases.h"

namespace fathom {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TokenizeCommand : public testing::Test {
 protected:
  struct Outcome {
    int code;
    std::vector<std::string> out;  // lines
    std::string err;
  };

  void SetUp() override {
    ASSERT_TRUE(write_file(directory_ / "tokenizer.json", test::small_tokenizer_json().dump()));
  }

  Outcome run(const std::string& arguments, const std::string& input = "") {
    EXPECT_TRUE(write_file(directory_ / "in", input));
    const std::string command = test::fathom_binary() + " tokenize '" + directory_.path() + "' " +
                                arguments + " <'" + (directory_ / "in") + "' >'" + (directory_ / "out") +
                                "' 2>'" + (directory_ / "err") + "'";
    const int status = std::system(command.c_str());
    Outcome outcome{WEXITSTATUS(status), {}, read_file(directory_ / "err").value()};
    std::istringstream lines(read_file(directory_ / "out").value());
    for (std::string line; std::getline(lines, line);) outcome.out.push_back(line);
    return outcome;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(TokenizeCommand, TextsAndIds) {
  const Outcome plain = run("'<user>' aaaa");
  EXPECT_EQ(plain.code, 0);
  EXPECT_THAT(plain.out, testing::ElementsAre("400", testing::_));
  EXPECT_EQ(run("--json '<user>'").out.at(0), R"({"ids":[400],"decoded":"<user>"})");
  EXPECT_NE(run("--no-special '<user>'").out.at(0), "400");
  EXPECT_EQ(run("--ids '400, 99 401'").out.at(0), "<user>a<user>s");
  EXPECT_EQ(run("--json --ids '[400]'").out.at(0), R"({"ids":[400],"decoded":"<user>"})");
}

TEST_F(TokenizeCommand, AnswersLineByLine) {
  const Outcome mixed = run(
      "--jsonl", "{\"text\": \"a<s>\"}\n{\"text\": 1}\nbroken\n\n{\"text\": \"\\ud800\"}\n{\"text\": \"\"}");
  EXPECT_EQ(mixed.code, 0);
  ASSERT_EQ(mixed.out.size(), 6u);
  EXPECT_EQ(mixed.out[0], R"({"ids":[99,0],"decoded":"a<s>"})");
  for (size_t i = 1; i < 5; ++i)
    EXPECT_THAT(mixed.out[i], StartsWith("{\"error\":\"line " + std::to_string(i + 1) + ": "))
        << mixed.out[i];
  EXPECT_EQ(mixed.out[5], R"({"ids":[],"decoded":""})");
  const Json plain =
      parse_json(run("--jsonl --no-special", "{\"text\": \"a<s>\"}\n").out.at(0), "out").value();
  EXPECT_EQ(plain["ids"].size(), 4u);
  EXPECT_EQ(plain["decoded"], "a<s>");
}

TEST_F(TokenizeCommand, FailsOnlyWhenNoLineIsGood) {
  EXPECT_EQ(run("--jsonl").code, 0);
  const Outcome bad = run("--jsonl", "{}\n[]\n");
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.out.size(), 2u);
  EXPECT_THAT(bad.err, HasSubstr("no line could be answered"));
}

TEST_F(TokenizeCommand, RefusesInOneLine) {
  for (const char* arguments : {"", "x --jsonl", "--ids '1 x'", "--ids 399", "--ids 99999999999999999999",
                                "--ids -1", "--chat --format v9"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.err, StartsWith("fathom: ")) << arguments;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << arguments;
    EXPECT_LT(outcome.err.size(), 410u);
  }
  EXPECT_THAT(run("--help").out, testing::Contains(HasSubstr("Example:")));
  ASSERT_TRUE(write_file(directory_ / "tokenizer.json", "{"));
  EXPECT_THAT(run("x").err, HasSubstr("tokenizer.json: "));
}

}  // namespace
}  // namespace fathom
