// Renderings as ids, with the tokenizers of V3, R1 and V3.1: the published one with added tokens renamed.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/support/cases.h"
#include "text/chat_format.h"
#include "text/output_parser.h"
#include "text/tokenizer.h"

namespace fathom::text {
namespace {

void rename(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
}

Tokenizer tokenizer_of(ChatFormat format) {
  const std::string directory = test::cases_directory() + "/tokenizers/deepseek-v3/";
  std::string text = read_file(directory + "tokenizer.json").value();
  if (thinking_support(format).thinking) {
    rename(text, "<｜place▁holder▁no▁798｜>", "<think>");
    rename(text, "<｜place▁holder▁no▁799｜>", "</think>");
  }
  if (call_syntax(format) == CallSyntax::kPlain) {
    rename(text, "<｜place▁holder▁no▁796｜>", "<｜search▁begin｜>");
    rename(text, "<｜place▁holder▁no▁797｜>", "<｜search▁end｜>");
  }
  return Tokenizer::load_text(text, read_file(directory + "tokenizer_config.json").value(), directory)
      .value();
}

TEST(CasesChatIds, Golden) {
  FATHOM_NEEDS_CASES();
  std::map<ChatFormat, Tokenizer> tokenizers;
  for (const ChatFormat format : kChatFormats) tokenizers.emplace(format, tokenizer_of(format));
  const std::string path = test::cases_directory() + "/chat/golden.jsonl";
  std::ifstream file(path);
  int compared = 0;
  for (std::string text; std::getline(file, text);) {
    const OrderedJson line = parse_ordered_json(text, path).value();
    if (line["rendered"].is_null()) continue;
    const ChatFormat format = chat_format_named(line["format"].get<std::string>()).value();
    ChatOptions options{.thinking = {}, .add_generation_prompt = line["add_generation_prompt"].get<bool>()};
    if (!line["thinking"].is_null()) options.thinking = line["thinking"].get<bool>();
    const Rendered rendered = render_chat(format, line["messages"], options).value();
    const Tokenizer& tokenizer = tokenizers.at(format);
    const auto want = line["ids"].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer.encode(rendered.text, Special::recognised), want) << line["name"];
    // With spans the ids are the same unless a message spells an added token: then they are fewer or other.
    const auto by_spans = tokenizer.encode(rendered.text, rendered.spans);
    EXPECT_EQ(tokenizer.decode(by_spans), rendered.text) << line["name"];
    const bool spelled = line["messages"].dump().find("<｜") != std::string::npos ||
                         line["messages"].dump().find("think>") != std::string::npos;
    if (!spelled) {
      EXPECT_EQ(by_spans, want) << line["name"];
    }
    ++compared;
  }
  EXPECT_GE(compared, 600);
}

OutputSyntax::Start start_of(ChatFormat format, const Tokenizer& tokenizer, const char* messages,
                             bool thinking, bool open_end = false) {
  const ChatOptions options{.thinking = thinking, .add_generation_prompt = !open_end, .open_end = open_end};
  const Rendered prompt = render_chat(format, parse_ordered_json(messages, "test").value(), options).value();
  return output_syntax(format, prompt, tokenizer, true).start;
}

TEST(CasesChatIds, OutputSyntaxFollowsThePrompt) {
  FATHOM_NEEDS_CASES();
  using Start = OutputSyntax::Start;
  const Tokenizer v31 = tokenizer_of(ChatFormat::kV3_1), v3 = tokenizer_of(ChatFormat::kV3);
  const char* user = R"([{"role":"user","content":"</think>"}])";
  EXPECT_EQ(start_of(ChatFormat::kV3_1, v31, user, false), Start::kAnswer);
  EXPECT_EQ(start_of(ChatFormat::kV3_1, v31, user, true), Start::kThoughts);
  EXPECT_EQ(start_of(ChatFormat::kR1, v31, user, true), Start::kThoughts);
  EXPECT_EQ(start_of(ChatFormat::kR1_0528, v31, user, true), Start::kOpen);
  EXPECT_EQ(start_of(ChatFormat::kV3, v3, user, false), Start::kAnswer);
  const char* result = R"([{"role":"user","content":"u"},{"role":"assistant","content":"","tool_calls":[]},
      {"role":"tool","content":"r"}])";
  EXPECT_EQ(start_of(ChatFormat::kV3_1, v31, result, true), Start::kOpen);
  const char* prefix = R"([{"role":"user","content":"u"},
      {"role":"assistant","content":"","prefix":true,"reasoning_content":"</think>"}])";
  EXPECT_EQ(start_of(ChatFormat::kV3_1, v31, prefix, true, true), Start::kThoughts);
  const Rendered prompt = render_user(ChatFormat::kV3_1, "u", true);
  EXPECT_FALSE(output_syntax(ChatFormat::kV3_1, prompt, v31, true).think_as_text);
  EXPECT_TRUE(output_syntax(ChatFormat::kV3_1, prompt, v3, true).think_as_text);
  EXPECT_FALSE(output_syntax(ChatFormat::kV3_1, prompt, v3, true).calls_as_text);
}

}  // namespace
}  // namespace fathom::text
