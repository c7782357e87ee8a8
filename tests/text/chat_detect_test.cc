#include "text/chat_detect.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/support/cases.h"
#include "tests/support/temporary_directory.h"

namespace fathom::text {
namespace {

std::string official(ChatFormat format) {
  const std::string name(chat_format_name(format));
  return read_file(test::cases_directory() + "/chat/templates/" + name + ".jinja").value();
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

TEST(CasesChatDetect, OfficialTemplatesAndHarmlessChanges) {
  FATHOM_NEEDS_CASES();
  for (const ChatFormat format : kChatFormats) {
    std::string source = official(format);
    EXPECT_EQ(chat_format_of_template(source, "t").value(), format);
    replace_all(source, "{%- for", "\n  {%-   for");
    replace_all(source, "{% set ", "{%set\n");
    replace_all(source, "'\n'", "'\\n'");
    EXPECT_EQ(chat_format_of_template(source + "\n", "t").value(), format);
  }
}

TEST(CasesChatDetect, ChangesThatMatterAreRefused) {
  FATHOM_NEEDS_CASES();
  for (const ChatFormat format : kChatFormats) {
    for (const auto& [from, to] : {std::pair{"'user'", "'human'"},
                                   {"<｜User｜>", "<｜User｜> "},
                                   {"{{", " {{"},
                                   {"'tool'", "' tool'"},
                                   {"is_tool", "istool"},
                                   {"{%- endfor", "x{%- endfor"}}) {
      std::string source = official(format);
      source.replace(source.find(from), std::string_view(from).size(), to);
      EXPECT_FALSE(chat_format_of_template(source, "t")) << from << " in " << chat_format_name(format);
    }
  }
}

TEST(CasesChatDetect, Directories) {
  FATHOM_NEEDS_CASES();
  EXPECT_EQ(chat_format_of_directory(test::cases_directory() + "/pilot").value(), ChatFormat::kV3_1);
  EXPECT_EQ(chat_format_of_directory(test::cases_directory() + "/tokenizers/deepseek-v3").value(),
            ChatFormat::kV3);
  const test::TemporaryDirectory directory;
  const std::string config = directory / "tokenizer_config.json";
  const Json list = {{{"name", "tool_use"}, {"template", "x"}},
                     {{"name", "default"}, {"template", official(ChatFormat::kR1)}}};
  ASSERT_TRUE(write_file(config, json_text(Json{{"chat_template", list}})));
  EXPECT_EQ(chat_format_of_directory(directory.path()).value(), ChatFormat::kR1);
  ASSERT_TRUE(write_file(directory / "chat_template.jinja", official(ChatFormat::kV3_2Exp)));
  EXPECT_EQ(chat_format_of_directory(directory.path()).value(), ChatFormat::kV3_2Exp)
      << "the file comes first";
}

TEST(ChatDetect, RefusalsNameTheWayOut) {
  const test::TemporaryDirectory directory;
  const std::string config = directory / "tokenizer_config.json";
  const auto refused = [&] {
    const auto got = chat_format_of_directory(directory.path());
    if (got) return std::string("accepted");
    const std::string line = got.error().line();
    EXPECT_LT(line.size(), 400u);
    return line;
  };
  EXPECT_NE(refused().find("--format"), std::string::npos);
  for (const char* text :
       {R"({"chat_template": "{{ messages }}"})", R"({"chat_template": null})", "{}",
        R"({"chat_template": []})", R"({"chat_template": [{"name": "default"}, 3]})",
        R"({"chat_template": 5})", R"({"chat_template": "{% if '"})", R"({"chat_template": "{"})"}) {
    ASSERT_TRUE(write_file(config, text));
    const std::string line = refused();
    EXPECT_NE(line.find("--format"), std::string::npos) << text;
    EXPECT_NE(line.find("v3-0324 r1 "), std::string::npos) << text;
  }
  ASSERT_TRUE(write_file(config, "{"));
  EXPECT_NE(refused().find("tokenizer_config.json"), std::string::npos);
}

}  // namespace
}  // namespace fathom::text
