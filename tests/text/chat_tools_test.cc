#include "text/chat_tools.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace fathom::text {
namespace {

OrderedJson tools(const char* text) { return parse_ordered_json(text, "test").value(); }

TEST(ChatTools, PlainSyntaxIsTheModelCards) {
  const auto got =
      render_tools(ChatFormat::kV3_1, tools(R"([{"type":"function","function":{"name":"get_weather",
      "description":"Où?","parameters":{"type":"object","properties":{"city":{"type":"string","description":"é"}}}}},
      {"type":"function","function":{"name":"now"}}])"));
  ASSERT_TRUE(got) << got.error().line();
  EXPECT_EQ(got->text,
            "## Tools\nYou have access to the following tools:\n\n### get_weather\nDescription: Où?\n\n"
            "Parameters: {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\", "
            "\"description\": \"\\u00e9\"}}}\n\n"
            "### now\nDescription: \n\nParameters: {\"type\": \"object\", \"properties\": {}}\n\n"
            "IMPORTANT: ALWAYS adhere to this exact format for tool use:\n"
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name<｜tool▁sep｜>tool_call_arguments"
            "<｜tool▁call▁end｜>{{additional_tool_calls}}<｜tool▁calls▁end｜>\n\nWhere:\n"
            "- `tool_call_name` must be an exact match to one of the available tools\n"
            "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
            "- For multiple tool calls, chain them directly without separators or spaces");
}

TEST(ChatTools, ClientTextIsOutsideTheSpans) {
  for (const ChatFormat format : kChatFormats) {
    const auto got = render_tools(format, tools(R"([{"function":{"name":"<｜User｜>","description":"<think>",
        "parameters":{"x":"</think>"}}}])"));
    ASSERT_TRUE(got);
    std::string written;
    for (const Span& span : got->spans) written += got->text.substr(span.begin, span.end - span.begin);
    for (const char* name : {"<｜User｜>", "<think>", "</think>"}) {
      EXPECT_EQ(written.find(name), std::string::npos) << chat_format_name(format);
    }
    EXPECT_NE(written.find("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>"), std::string::npos);
    const bool fenced = written.find("function<｜tool▁sep｜>TOOL_NAME\n```json\n") != std::string::npos;
    EXPECT_EQ(fenced, call_syntax(format) == CallSyntax::kFenced);
  }
}

TEST(ChatTools, ErrorsNameTheField) {
  const auto key_of = [](const char* text) {
    return render_tools(ChatFormat::kV3_1, tools(text)).error().key;
  };
  EXPECT_EQ(key_of(R"([{"type":"function"}])"), "function");
  EXPECT_EQ(key_of(R"([{"function":{"name":1}}])"), "name");
  EXPECT_EQ(key_of(R"([{"function":{"name":"f","description":[]}}])"), "description");
  EXPECT_EQ(key_of(R"([{"function":{"name":"f","parameters":[]}}])"), "parameters");
  EXPECT_EQ(render_tools(ChatFormat::kV3_1, tools(R"([{"function":{"name":"f"}},1])")).error().where,
            "tools[1]");
  EXPECT_FALSE(render_tools(ChatFormat::kV3_1, tools("{}")));
}

}  // namespace
}  // namespace fathom::text
