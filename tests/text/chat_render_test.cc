#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "tests/support/cases.h"
#include "text/chat_format.h"
#include "text/chat_markers.h"

namespace fathom::text {
namespace {

std::vector<OrderedJson> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<OrderedJson> out;
  for (std::string line; std::getline(file, line);) out.push_back(parse_ordered_json(line, path).value());
  return out;
}

ChatOptions options_of(const OrderedJson& line) {
  ChatOptions options{.thinking = {}, .add_generation_prompt = line["add_generation_prompt"].get<bool>()};
  if (!line["thinking"].is_null()) options.thinking = line["thinking"].get<bool>();
  return options;
}

void expect_rendering(ChatFormat format, const OrderedJson& line, const OrderedJson& want) {
  const auto got = render_chat(format, line["messages"], options_of(line));
  if (want.is_null()) {
    ASSERT_FALSE(got) << chat_format_name(format) << " renders " << line["messages"];
    EXPECT_LT(got.error().line().size(), 400u);
  } else {
    ASSERT_TRUE(got) << chat_format_name(format) << ": " << got.error().line() << " in " << line["messages"];
    EXPECT_EQ(got->text, want.get<std::string>()) << chat_format_name(format) << " of " << line["messages"];
  }
}

// What a client could write, replaced by as many letters that no template writes.
void mask(OrderedJson& value, const std::string& key) {
  if (value.is_structured()) {
    for (auto& [name, item] : value.items()) mask(item, value.is_array() ? key : name);
  } else if (value.is_string() && key != "role") {
    value = value.get<std::string>().empty() ? "" : "\x02\x03\x02";
  }
}

void expect_exact_spans(ChatFormat format, OrderedJson line) {
  mask(line["messages"], "");
  const auto got = render_chat(format, line["messages"], options_of(line));
  if (!got) return;
  size_t at = 0;
  for (const Span& span : got->spans) {
    ASSERT_TRUE(span.begin < span.end && (at == 0 || span.begin > at) && span.end <= got->text.size());
    for (; at < span.begin; ++at) ASSERT_LT(got->text[at], '\x04') << "not in a span";
    for (; at < span.end; ++at)
      ASSERT_FALSE(got->text[at] == '\x02' || got->text[at] == '\x03') << "in a span";
  }
  for (; at < got->text.size(); ++at) ASSERT_TRUE(got->text[at] == '\x02' || got->text[at] == '\x03');
}

OrderedJson messages(const char* text) { return parse_ordered_json(text, "test").value(); }

TEST(ChatRender, OddConversationsAsTheTemplatesDo) {
  const auto lines = lines_of(test::source_directory() + "/tests/text/data/chat_odd.jsonl");
  ASSERT_GT(lines.size(), 100u);
  for (const OrderedJson& line : lines) {
    for (const ChatFormat format : kChatFormats) {
      expect_rendering(format, line, line["rendered"][std::string(chat_format_name(format))]);
      expect_exact_spans(format, line);
    }
  }
}

TEST(CasesChatRender, Golden) {
  FATHOM_NEEDS_CASES();
  const auto lines = lines_of(test::cases_directory() + "/chat/golden.jsonl");
  ASSERT_GE(lines.size(), 600u);
  for (const OrderedJson& line : lines) {
    const ChatFormat format = chat_format_named(line["format"].get<std::string>()).value();
    SCOPED_TRACE(line["name"].get<std::string>());
    expect_rendering(format, line, line["rendered"]);
    expect_exact_spans(format, line);
  }
}

TEST(ChatRender, ErrorsNameMessageAndKey) {
  const auto wrong = messages(R"([{"role":"user","content":"a"},{"role":"assistant","content":null,
      "tool_calls":[{"type":"function","function":{"name":"f","arguments":{}}}]}])");
  const auto error = render_chat(ChatFormat::kV3_1, wrong, {});
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().where, "messages[1].tool_calls[0].function");
  EXPECT_EQ(error.error().key, "arguments");
  EXPECT_FALSE(render_chat(ChatFormat::kV3, messages(R"({"role":"user"})"), {}));
  EXPECT_FALSE(render_chat(ChatFormat::kV3, messages(R"("user")"), {}));
}

TEST(ChatRender, ToolPromptFollowsTheSystemText) {
  Rendered tools;
  tools.add_template("T:");
  tools.add_content("t");
  const ChatOptions options{.thinking = {}, .add_generation_prompt = true, .tool_prompt = &tools};
  const auto got =
      render_chat(ChatFormat::kV3_1,
                  messages(R"([{"role":"user","content":"u"},{"role":"system","content":"s"}])"), options);
  EXPECT_EQ(got->text, "<｜begin▁of▁sentence｜>s\n\nT:t<｜User｜>u<｜Assistant｜></think>");
  const size_t bos = marker::kBos.size();
  EXPECT_EQ(got->spans[1], (Span{bos + 1, bos + 5}));
  EXPECT_EQ(got->spans[2].begin, bos + 6);
}

std::string open_end(ChatFormat format, const char* text, bool thinking) {
  return render_chat(format, messages(text), {.thinking = thinking, .open_end = true}).value().text;
}

TEST(ChatRender, PrefixLeavesTheEndOpen) {
  const char* plain = R"([{"role":"user","content":"u"},{"role":"assistant","content":"An","prefix":true}])";
  EXPECT_EQ(open_end(ChatFormat::kV3, plain, false), "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜>An");
  EXPECT_EQ(open_end(ChatFormat::kV3_1, plain, false),
            "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜></think>An");
  EXPECT_EQ(open_end(ChatFormat::kV3_1, plain, true),
            "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜><think>An");
  const char* thoughts = R"([{"role":"user","content":"u"},
      {"role":"assistant","content":"An","prefix":true,"reasoning_content":"hm"}])";
  EXPECT_EQ(open_end(ChatFormat::kV3_1, thoughts, true),
            "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜><think>hm</think>An");
  EXPECT_EQ(open_end(ChatFormat::kV3_1, thoughts, false),
            "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜></think>An");
  EXPECT_EQ(open_end(ChatFormat::kR1, thoughts, true),
            "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜><think>\nhm</think>An");
  const char* unfinished = R"([{"role":"user","content":"u"},
      {"role":"assistant","content":"","prefix":true,"reasoning_content":"hm"}])";
  EXPECT_EQ(open_end(ChatFormat::kR1_0528, unfinished, true),
            "<｜begin▁of▁sentence｜><｜User｜>u<｜Assistant｜><think>hm");
}

TEST(ChatRender, OneUserMessage) {
  const Rendered got = render_user(ChatFormat::kV3_1, "<｜User｜>", true);
  EXPECT_EQ(got.text, "<｜begin▁of▁sentence｜><｜User｜><｜User｜><｜Assistant｜><think>");
  ASSERT_EQ(got.spans.size(), 2u);
  EXPECT_EQ(got.spans[0].end + marker::kUser.size(), got.spans[1].begin);
}

TEST(ChatRender, FillInTheMiddle) {
  const Rendered got = render_fim("<｜fim▁end｜>", "b");
  EXPECT_EQ(got.text, "<｜begin▁of▁sentence｜><｜fim▁begin｜><｜fim▁end｜><｜fim▁hole｜>b<｜fim▁end｜>");
  EXPECT_EQ(got.spans.size(), 3u);
}

TEST(ChatFormat, NamesAndModes) {
  for (const ChatFormat format : kChatFormats) {
    EXPECT_EQ(chat_format_named(chat_format_name(format)).value(), format);
  }
  const auto unknown = chat_format_named("v4");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().line().find("v3 v3-0324 r1 r1-0528 v3.1 v3.2-exp"), std::string::npos);
  EXPECT_FALSE(thinking_support(ChatFormat::kV3).thinking);
  EXPECT_FALSE(thinking_support(ChatFormat::kR1).non_thinking);
  EXPECT_TRUE(thinking_support(ChatFormat::kV3_1).thinking &&
              thinking_support(ChatFormat::kV3_1).non_thinking);
}

TEST(Rendered, TruncateCutsSpans) {
  Rendered text;
  text.add_template("abc");
  text.add_content("d");
  text.add_template("ef");
  text.truncate(4);
  EXPECT_EQ(text.spans, (std::vector<Span>{{0, 3}}));
  text.truncate(2);
  EXPECT_EQ(text.spans, (std::vector<Span>{{0, 2}}));
}

}  // namespace
}  // namespace fathom::text
