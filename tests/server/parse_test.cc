// Bodies of the four APIs: what they mean and how they are refused.
#include <gtest/gtest.h>

#include "server/anthropic_parse.h"
#include "server/chat_parse.h"
#include "server/completion_parse.h"
#include "server/errors.h"
#include "server/responses_parse.h"

namespace fathom::server {
namespace {

struct Refused {
  const char* fields;  // beside the ones that are always there
  int status;
  const char* param;
};

template <class Parse>
void expect_refusals(std::string_view base, std::initializer_list<Refused> cases, Parse parse) {
  for (const Refused& c : cases) {
    OrderedJson body = parse_ordered_json(base, "").value();
    body.update(parse_ordered_json(c.fields, "").value());
    try {
      parse(json_text(body));
      ADD_FAILURE() << c.fields << " is accepted";
    } catch (const Refusal& r) {
      EXPECT_EQ(r.status, c.status) << c.fields;
      EXPECT_EQ(r.param, c.param) << c.fields;
      EXPECT_NE(r.message.find(c.param), std::string::npos) << r.message;
      EXPECT_EQ(r.message.find('\n'), std::string::npos);
    }
  }
}

constexpr std::string_view kChat = R"({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})";

ChatRequest chat(std::string_view more) {
  OrderedJson body = parse_ordered_json(kChat, "").value();
  body.update(parse_ordered_json(more, "").value());
  return parse_chat(json_text(body));
}

TEST(ParseChat, Defaults) {
  const ChatRequest r = chat("{}");
  EXPECT_EQ(r.model, "m");
  EXPECT_EQ(r.n, 1);
  EXPECT_EQ(r.logprobs, -1);
  EXPECT_FALSE(r.stream || r.max_tokens || r.sampling.temperature || r.thinking || r.open_end);
  EXPECT_EQ(r.tool_choice.mode, ToolChoice::Mode::kNone);
  EXPECT_EQ(r.format.kind, ResponseFormat::Kind::kText);
}

TEST(ParseChat, NullIsAbsentAndUnknownFieldsAreIgnored) {
  const ChatRequest r =
      chat(R"({"temperature": null, "stop": null, "tools": null, "response_format": null, "n": null,
    "stream_options": null, "max_tokens": null, "user": 5, "store": {}, "made_up": [1]})");
  EXPECT_FALSE(r.sampling.temperature.has_value());
  EXPECT_TRUE(r.stop.empty());
}

TEST(ParseChat, Messages) {
  const ChatRequest r = chat(R"({"messages": [
    {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"role": "assistant", "content": null, "reasoning_content": "hidden", "prefix": true,
     "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "42"},
    {"role": "assistant", "content": "So", "prefix": true, "reasoning_content": "because"}]})");
  EXPECT_EQ(r.messages[0], (OrderedJson{{"role", "system"}, {"content", "a\nb"}}));
  EXPECT_FALSE(r.messages[1].contains("reasoning_content") || r.messages[1].contains("prefix"));
  EXPECT_TRUE(r.messages[1]["content"].is_null());
  EXPECT_EQ(r.messages[1]["tool_calls"][0]["function"]["name"], "f");
  EXPECT_EQ(r.messages[3]["reasoning_content"], "because");
  EXPECT_TRUE(r.open_end);
}

TEST(ParseChat, ToolChoices) {
  const std::string tools =
      R"("tools": [{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}])";
  using Mode = ToolChoice::Mode;
  EXPECT_EQ(chat("{" + tools + "}").tool_choice.mode, Mode::kAuto);
  EXPECT_EQ(chat("{" + tools + R"(, "tool_choice": "none"})").tool_choice.mode, Mode::kNone);
  EXPECT_EQ(chat("{" + tools + R"(, "tool_choice": "required"})").tool_choice.mode, Mode::kRequired);
  const ChatRequest named =
      chat("{" + tools + R"(, "tool_choice": {"type": "function", "function": {"name": "b"}}})");
  EXPECT_EQ(named.tool_choice.mode, Mode::kNamed);
  EXPECT_EQ(named.tool_choice.name, "b");
  const ChatRequest allowed =
      chat("{" + tools + R"(, "tool_choice": {"type": "allowed_tools", "allowed_tools":
    {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}}})");
  ASSERT_EQ(allowed.tools.size(), 1u);
  EXPECT_EQ(allowed.tools[0].name, "b");
  EXPECT_EQ(allowed.tool_choice.mode, Mode::kRequired);
}

TEST(ParseChat, Refusals) {
  expect_refusals(
      kChat,
      {{R"({"model": null})", 400, "model"},
       {R"({"model": 1})", 400, "model"},
       {R"({"messages": "Hi"})", 400, "messages"},
       {R"({"messages": []})", 422, "messages"},
       {R"({"messages": [5]})", 400, "messages[0]"},
       {R"({"messages": [{"content": "x"}]})", 400, "messages[0].role"},
       {R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})", 400,
        "messages[0].content[0].type"},
       {R"({"messages": [{"role": "tool", "content": "x"}]})", 400, "messages[0].tool_call_id"},
       {R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]})", 400,
        "messages[0].tool_calls[0].function.arguments"},
       {R"({"temperature": 2.1})", 422, "temperature"},
       {R"({"temperature": "1"})", 400, "temperature"},
       {R"({"top_p": -0.1})", 422, "top_p"},
       {R"({"presence_penalty": 3})", 422, "presence_penalty"},
       {R"({"max_tokens": 0})", 422, "max_tokens"},
       {R"({"max_tokens": 1.5})", 400, "max_tokens"},
       {R"({"max_tokens": 1e300})", 422, "max_tokens"},
       {R"({"n": 129})", 422, "n"},
       {R"({"stop": [1]})", 400, "stop[0]"},
       {R"({"stop": 5})", 400, "stop"},
       {R"({"top_logprobs": 1})", 422, "top_logprobs"},
       {R"({"logprobs": true, "top_logprobs": 21})", 422, "top_logprobs"},
       {R"({"stream_options": {"include_usage": true}})", 422, "stream_options"},
       {R"({"logit_bias": {"x": 1}})", 422, "logit_bias.x"},
       {R"({"logit_bias": {"-0": 1}})", 422, "logit_bias.-0"},
       {R"({"logit_bias": {"07": 1}})", 422, "logit_bias.07"},
       {R"({"logit_bias": {"7 ": 1}})", 422, "logit_bias.7 "},
       {R"({"logit_bias": {"1": 101}})", 422, "logit_bias.1"},
       {R"({"tools": [{"type": "web"}]})", 422, "tools[0].type"},
       {R"({"tools": [{"type": "function", "function": {"name": "a b"}}]})", 422, "tools[0].function.name"},
       {R"({"tool_choice": "required"})", 422, "tool_choice"},
       {R"({"tool_choice": {"type": "function", "function": {"name": "x"}}})", 422, "tool_choice"},
       {R"({"response_format": {"type": "json_schema"}})", 400, "response_format.json_schema"},
       {R"({"thinking": {"type": "maybe"}})", 422, "thinking.type"},
       {R"({"stream": "yes"})", 400, "stream"}},
      [](const std::string& body) { parse_chat(body); });
}

TEST(ParseBody, RefusesWhatIsNoObject) {
  for (const char* body :
       {"", "{", "[]", "5", "nul", "\"x\"", "{\"a\":1,\"a\":2}", "\xEF\xBB\xBF{}", "{\"a\":\"\xFF\"}"})
    EXPECT_THROW(parse_chat(std::string_view(body)), Refusal) << body;
  EXPECT_THROW(parse_chat(std::string_view(std::string(100'000, '['))), Refusal);
}

TEST(ParseCompletion, Prompts) {
  const auto prompts = [](const char* prompt) {
    return parse_completion(R"({"model": "m", "prompt": )" + std::string(prompt) + "}").prompts;
  };
  EXPECT_EQ(std::get<std::string>(prompts(R"("x")")[0]), "x");
  EXPECT_EQ(std::get<std::vector<int32_t>>(prompts("[1, 2]")[0]), (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(prompts(R"(["a", "b"])").size(), 2u);
  EXPECT_EQ(std::get<std::vector<int32_t>>(prompts("[[1], [2, 3]]")[1]), (std::vector<int32_t>{2, 3}));
}

TEST(ParseCompletion, PromptsTimesChoices) {
  const auto choices = [](size_t prompts, int n) {
    OrderedJson body = {{"model", "m"}, {"prompt", std::vector<std::string>(prompts, "x")}, {"n", n}};
    return parse_completion(json_text(body)).n;
  };
  EXPECT_EQ(choices(8, 128), 128);
  EXPECT_EQ(choices(256, 4), 4);
  for (const auto& [prompts, n] : {std::pair<size_t, int>{9, 5}, {9, 128}, {256, 5}}) {
    try {
      choices(prompts, n);
      ADD_FAILURE() << prompts << " prompts, n " << n;
    } catch (const Refusal& refusal) {
      EXPECT_EQ(refusal.status, 422);
      EXPECT_EQ(refusal.param, "n");
    }
  }
}

TEST(ParseCompletion, Refusals) {
  expect_refusals(R"({"model": "m", "prompt": "x"})",
                  {{R"({"prompt": null})", 400, "prompt"},
                   {R"({"prompt": []})", 422, "prompt"},
                   {R"({"prompt": [1, "a"]})", 400, "prompt[1]"},
                   {R"({"prompt": ["a", [1]]})", 400, "prompt[1]"},
                   {R"({"prompt": [-1]})", 422, "prompt[0]"},
                   {R"({"logprobs": true})", 400, "logprobs"},
                   {R"({"logprobs": 21})", 422, "logprobs"},
                   {R"({"echo": 1})", 400, "echo"},
                   {R"({"best_of": 2})", 422, "best_of"}},
                  [](const std::string& body) { parse_completion(body); });
}

TEST(ParseAnthropic, ToolResultsBecomeMessages) {
  const ChatRequest r =
      parse_anthropic(R"({"model": "x", "max_tokens": 5, "system": "Be brief.", "messages": [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "Let me see"},
      {"type": "tool_use", "id": "t", "name": "w", "input": {"city": "Rome"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "18 C"}]},
      {"type": "text", "text": "And?"}]}]})",
                      false);
  const OrderedJson& m = r.messages;
  ASSERT_EQ(m.size(), 5u);
  EXPECT_EQ(m[2]["content"], "Let me see");
  EXPECT_EQ(m[2]["tool_calls"][0]["function"]["arguments"], R"({"city":"Rome"})");
  EXPECT_EQ(m[3], (OrderedJson{{"role", "tool"}, {"tool_call_id", "t"}, {"content", "18 C"}}));
  EXPECT_EQ(m[4]["content"], "And?");
  EXPECT_FALSE(r.model_must_exist || r.open_end);
}

TEST(ParseAnthropic, ChoicesThinkingAndPrefill) {
  const ChatRequest r =
      parse_anthropic(R"({"model": "x", "max_tokens": 5, "tools": [{"name": "w", "input_schema": {}}],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": true}, "thinking": {"type": "enabled", "budget_tokens": 7},
    "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "I"}]})",
                      false);
  EXPECT_EQ(r.tool_choice.mode, ToolChoice::Mode::kRequired);
  EXPECT_FALSE(r.parallel_calls);
  EXPECT_EQ(r.thinking, true);
  EXPECT_EQ(r.thinking_tokens, 7);
  EXPECT_TRUE(r.open_end);
}

TEST(ParseAnthropic, Refusals) {
  expect_refusals(
      R"({"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "a"}]})",
      {{R"({"max_tokens": null})", 400, "max_tokens"},
       {R"({"messages": [{"role": "tool", "content": "a"}]})", 422, "messages[0].role"},
       {R"({"messages": [{"role": "user", "content": [{"type": "document"}]}]})", 400,
        "messages[0].content[0].type"},
       {R"({"system": 5})", 400, "system"},
       {R"({"stop_sequences": "x", "tool_choice": {"type": "tool", "name": "q"}})", 422, "tool_choice"},
       {R"({"tools": [{"type": "web_search_20250305", "name": "w"}]})", 422, "tools[0].type"}},
      [](const std::string& body) { parse_anthropic(body, false); });
  EXPECT_NO_THROW(parse_anthropic(R"({"model": "x", "messages": [{"role": "user", "content": "a"}]})", true));
}

TEST(ParseResponses, ItemsAndWhatIsRepeated) {
  const ResponsesRequest r = parse_responses(R"({"model": "m", "instructions": "Be brief.", "input": [
    {"role": "user", "content": [{"type": "input_text", "text": "q"}]}, {"type": "reasoning", "id": "r"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "1"}], "text": {"format": {"type": "json_object"}},
    "reasoning": {"effort": "none"}, "include": ["message.output_text.logprobs"], "metadata": {"k": "v"}})");
  ASSERT_EQ(r.messages.size(), 4u);
  EXPECT_EQ(r.messages[0]["role"], "system");
  EXPECT_EQ(r.messages[2]["tool_calls"].size(), 1u);
  EXPECT_EQ(r.thinking, false);
  EXPECT_EQ(r.logprobs, 0);
  EXPECT_EQ(r.format.kind, ResponseFormat::Kind::kJsonObject);
  EXPECT_EQ(r.echoed["metadata"]["k"], "v");
  EXPECT_EQ(r.echoed["store"], false);
}

TEST(ParseResponses, Refusals) {
  expect_refusals(R"({"model": "m", "input": "x"})",
                  {{R"({"previous_response_id": "r"})", 400, "previous_response_id"},
                   {R"({"conversation": "c"})", 400, "conversation"},
                   {R"({"background": true})", 400, "background"},
                   {R"({"truncation": "auto"})", 400, "truncation"},
                   {R"({"input": []})", 422, "input"},
                   {R"({"input": [], "instructions": "x"})", 422, "input"},
                   {R"({"input": [{"type": "item_reference", "id": "i"}]})", 400, "input[0].type"},
                   {R"({"tools": [{"type": "web_search"}]})", 422, "tools[0].type"},
                   {R"({"include": [1]})", 400, "include[0]"}},
                  [](const std::string& body) { parse_responses(body); });
}

}  // namespace
}  // namespace fathom::server
