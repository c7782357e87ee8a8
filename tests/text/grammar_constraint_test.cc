// Whole answers: thoughts, response formats and calls of tools in both syntaxes.
#include <gtest/gtest.h>

#include "tests/support/cases.h"
#include "tests/support/schema_validator.h"
#include "tests/text/grammar_walk.h"
#include "text/chat_markers.h"

namespace fathom::test {
namespace {

using text::CallSyntax;
using text::CompiledConstraint;
using text::Constraint;
using text::ConstraintSpec;
using text::OutputEvent;
using text::OutputParser;
using text::OutputSyntax;
using text::SchemaRules;
using text::Tokenizer;
using text::TokenTrie;
using Choice = ConstraintSpec::Choice;
using Format = ConstraintSpec::Format;
using Start = OutputSyntax::Start;
namespace marker = text::marker;

struct Model {
  Tokenizer tokenizer;
  std::shared_ptr<const TokenTrie> trie;
  int32_t eos;
};

// With the markers as tokens, or (bare) without any.
const Model& model(bool bare) {
  const auto make = [](bool without) {
    Json json = small_tokenizer_json();
    int32_t id = 500;
    for (const auto name : {marker::kThinkBegin, marker::kThinkEnd, marker::kCallsBegin, marker::kCallsEnd,
                            marker::kCallBegin, marker::kCallEnd, marker::kCallSeparator, marker::kUser}) {
      if (without) break;
      Json token = json["added_tokens"][0];
      token["id"] = id++;
      token["content"] = name;
      json["added_tokens"].push_back(token);
    }
    auto tokenizer = Tokenizer::load_text(json.dump(), R"({"eos_token":"</s>"})", "t").value();
    auto trie = std::make_shared<const TokenTrie>(TokenTrie::build(tokenizer).value());
    return Model{std::move(tokenizer), std::move(trie), kSmallEnd};
  };
  static const Model kMarked = make(false), kBare = make(true);
  return bare ? kBare : kMarked;
}

std::shared_ptr<const CompiledConstraint> compiled(const ConstraintSpec& spec,
                                                   const Model& m = model(false)) {
  auto result = CompiledConstraint::compile(spec, m.tokenizer, m.trie, std::array{m.eos});
  EXPECT_TRUE(result) << result.error().line();
  return std::move(result).value();
}

// Accepts `text`, in which markers stand for their tokens (kSpecial) or are bytes; the number of tokens
// taken, -1 when all were.
int refused_at(Constraint& constraint, const std::string& text, const Model& m = model(false)) {
  const auto special = &m == &model(false) ? text::Special::recognised : text::Special::plain;
  int count = 0;
  for (const int32_t id : m.tokenizer.encode(text, special)) {
    const auto allowed = constraint.allowed();
    const bool offered = has_token(allowed, id);
    const bool taken = constraint.accept(id);
    EXPECT_TRUE(constraint.unconstrained() || offered == taken || taken) << text;
    if (!taken) return count;
    ++count;
  }
  return -1;
}

bool takes(const ConstraintSpec& spec, const std::string& text, const Model& m = model(false)) {
  Constraint constraint(compiled(spec, m));
  return refused_at(constraint, text, m) < 0 && constraint.can_end();
}

std::string with(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out += part;
  return out;
}

const OrderedJson& city() {
  static const OrderedJson kSchema = OrderedJson::parse(
      R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false})");
  return kSchema;
}

ConstraintSpec tools(Choice choice, CallSyntax calls = CallSyntax::kPlain, bool strict = true) {
  ConstraintSpec spec;
  spec.syntax.calls = calls;
  spec.choice = choice;
  spec.tools = {{"weather", &city(), strict}, {"we", nullptr, true}, {"free", nullptr, false}};
  if (choice == Choice::kNamed) spec.chosen = "weather";
  return spec;
}

std::string plain(std::string_view name, std::string_view arguments) {
  return with({marker::kCallBegin, name, marker::kCallSeparator, arguments, marker::kCallEnd});
}
std::string fenced(std::string_view name, std::string_view arguments) {
  return with({marker::kCallBegin, "function", marker::kCallSeparator, name, marker::kFenceOpen, arguments,
               marker::kFenceClose, marker::kCallEnd});
}
std::string list(std::initializer_list<std::string> calls, std::string_view between = "") {
  std::string out(marker::kCallsBegin);
  for (const auto& call : calls)
    out += (out.size() > marker::kCallsBegin.size() ? std::string(between) : "") + call;
  return out += marker::kCallsEnd;
}

TEST(Constraint, WhatRestricts) {
  EXPECT_FALSE(ConstraintSpec{}.restricts());
  EXPECT_TRUE(tools(Choice::kAuto).restricts());
  EXPECT_FALSE(tools(Choice::kNone).restricts());
  ConstraintSpec spec = tools(Choice::kAuto);
  for (auto& tool : spec.tools) tool.strict = false;
  EXPECT_FALSE(spec.restricts());
  spec.choice = Choice::kRequired;
  EXPECT_TRUE(spec.restricts());
}

TEST(Constraint, KeysTellGrammarsApart) {
  std::vector<ConstraintSpec> specs(3);
  specs[1].format = Format::kJsonObject;
  specs[2].format = Format::kJsonSchema;
  specs[2].schema = &city();
  for (const auto choice : {Choice::kAuto, Choice::kRequired, Choice::kNamed})
    for (const auto calls : {CallSyntax::kPlain, CallSyntax::kFenced}) specs.push_back(tools(choice, calls));
  specs.push_back(tools(Choice::kAuto, CallSyntax::kPlain, false));
  specs.insert(specs.end(), 2, tools(Choice::kAuto));
  specs[specs.size() - 2].parallel_calls = false;
  specs.back().syntax.start = Start::kThoughts;
  for (size_t i = 0; i < specs.size(); ++i)
    for (size_t j = 0; j < specs.size(); ++j)
      EXPECT_EQ(specs[i].key() == specs[j].key(), i == j) << i << " " << j;
}

TEST(Constraint, JsonObject) {
  ConstraintSpec spec;
  spec.format = Format::kJsonObject;
  EXPECT_TRUE(spec.restricts());
  for (const char* text : {R"({"a": [1, {"b": null}]})", "\n{}"}) EXPECT_TRUE(takes(spec, text));
  for (const char* text : {"[]", "Sure: {}", "{} ", "{"}) EXPECT_FALSE(takes(spec, text));
  Constraint constraint(compiled(spec));
  EXPECT_FALSE(constraint.accept(kSmallEnd));
  EXPECT_EQ(refused_at(constraint, "{}"), -1);
  EXPECT_EQ(tokens_in(constraint.allowed()), std::vector<int32_t>{kSmallEnd});
  EXPECT_TRUE(constraint.accept(kSmallEnd));
  EXPECT_TRUE(constraint.finished());
  EXPECT_FALSE(constraint.accept(kSmallEnd));
  constraint.rollback(1);
  EXPECT_FALSE(constraint.finished());
  constraint.rollback(1);
  EXPECT_FALSE(constraint.accept(kSmallEnd));
}

// No special token is ever part of JSON, whatever it spells.
TEST(Constraint, SpecialTokensAreNotText) {
  ConstraintSpec spec;
  spec.format = Format::kJsonObject;
  Constraint constraint(compiled(spec));
  ASSERT_EQ(refused_at(constraint, "{\"a"), -1);
  for (const int32_t id : {kSmallBegin, kSmallEnd, kSmallUser, kSmallUserLong, 500, 507, 450, 9999, -1}) {
    EXPECT_FALSE(has_token(constraint.allowed(), std::max(id, 0)));
    EXPECT_FALSE(constraint.accept(id)) << id;
  }
  // Spelled in bytes they are.
  EXPECT_EQ(refused_at(constraint, "x"), -1);
  for (const char c : std::string(marker::kCallEnd) + "</think>\":1}")
    EXPECT_TRUE(constraint.accept(*model(false).tokenizer.id_of({&c, 1})));
  EXPECT_TRUE(constraint.can_end());
}

TEST(Constraint, ThoughtsAreFreeUntilTheirEnd) {
  ConstraintSpec spec;
  spec.format = Format::kJsonSchema;
  spec.schema = &city();
  const std::string json = R"({"city": "Paris"})", end(marker::kThinkEnd);
  for (const auto start : {Start::kThoughts, Start::kOpen}) {
    spec.syntax.start = start;
    const std::string open = start == Start::kOpen ? std::string(marker::kThinkBegin) : "";
    EXPECT_TRUE(takes(spec, open + "Let me {think}. \xF0\x9F\x98\x80" + end + json));
    EXPECT_TRUE(takes(spec, open + end + json));
    EXPECT_TRUE(takes(spec, open + "\n" + end + "\n\n" + json));
    EXPECT_FALSE(takes(spec, open + "x" + end + "\n\n\n\n" + json));
    EXPECT_FALSE(takes(spec, open + "x" + end + "so: " + json));
    EXPECT_FALSE(takes(spec, open + json));
    EXPECT_FALSE(takes(spec, open + end + end + json));
    EXPECT_EQ(takes(spec, json), start == Start::kOpen);
  }
  spec.syntax.start = Start::kThoughts;
  Constraint constraint(compiled(spec));
  EXPECT_EQ(refused_at(constraint, "hm"), -1);
  EXPECT_FALSE(constraint.accept(kSmallEnd));
  EXPECT_FALSE(constraint.accept(*model(false).tokenizer.id_of(marker::kUser)));
  EXPECT_FALSE(constraint.unconstrained());
}

TEST(Constraint, RequiredCalls) {
  const std::string paris = R"({"city": "Paris"})";
  for (const auto choice : {Choice::kRequired, Choice::kNamed}) {
    const auto spec = tools(choice);
    const bool any = choice == Choice::kRequired;
    EXPECT_TRUE(takes(spec, list({plain("weather", paris)})));
    EXPECT_TRUE(takes(spec, list({plain("weather", paris), plain("weather", R"({"city":""})")})));
    EXPECT_EQ(takes(spec, list({plain("we", "{}")})), any);
    EXPECT_EQ(takes(spec, list({plain("free", R"({"any": [1]})"), plain("we", "{}")})), any);
    EXPECT_FALSE(takes(spec, list({plain("we", R"({"x":1})")})));
    EXPECT_FALSE(takes(spec, list({plain("weather", R"({"city": 1})")})));
    EXPECT_FALSE(takes(spec, list({plain("weath", paris)})));
    EXPECT_FALSE(takes(spec, list({plain("weatherx", paris)})));
    EXPECT_FALSE(takes(spec, list({})));
    EXPECT_FALSE(takes(spec, "Hello"));
    EXPECT_FALSE(takes(spec, ""));
    EXPECT_FALSE(takes(spec, plain("weather", paris)));
    EXPECT_FALSE(takes(spec, list({plain("weather", paris)}) + "x"));
    EXPECT_FALSE(takes(spec, list({plain("weather", paris), plain("weather", paris)}, "\n")));
    EXPECT_FALSE(takes(spec, std::string(marker::kCallsBegin) + plain("weather", paris)));
    ConstraintSpec one = spec;
    one.parallel_calls = false;
    EXPECT_TRUE(takes(one, list({plain("weather", paris)})));
    EXPECT_FALSE(takes(one, list({plain("weather", paris), plain("weather", paris)})));
  }
}

TEST(Constraint, FencedCalls) {
  const auto spec = tools(Choice::kRequired, CallSyntax::kFenced);
  const std::string paris = "{\"city\":\"Paris\"}";
  EXPECT_TRUE(takes(spec, list({fenced("weather", paris)})));
  EXPECT_TRUE(takes(spec, list({fenced("weather", paris), fenced("we", "{}")}, "\n")));
  EXPECT_TRUE(takes(spec, list({fenced("weather", paris), fenced("free", "{\"x\": 1}")})));
  EXPECT_FALSE(takes(spec, list({plain("weather", paris)})));
  EXPECT_FALSE(takes(spec, list({fenced("weather", "{}")})));
  EXPECT_FALSE(takes(spec, list({fenced("weather", paris)}, "\n\n") + "\n"));
}

TEST(Constraint, AutoRestrictsCallsAlone) {
  const std::string paris = R"({"city": "Paris"})", words = "Let me look: {\"x\" ";
  const auto spec = tools(Choice::kAuto);
  EXPECT_TRUE(takes(spec, ""));
  EXPECT_TRUE(takes(spec, words));
  EXPECT_TRUE(takes(spec, words + std::string(marker::kUser) + "a"));
  EXPECT_TRUE(takes(spec, words + list({plain("weather", paris)})));
  EXPECT_TRUE(takes(spec, words + plain("weather", paris) + std::string(marker::kCallsEnd)));
  EXPECT_FALSE(takes(spec, words + list({plain("weather", "{}")})));
  EXPECT_FALSE(takes(spec, words + list({plain("other", "{}")})));
  EXPECT_FALSE(takes(spec, words + list({plain("weather", paris)}) + "more"));
  Constraint constraint(compiled(spec));
  EXPECT_TRUE(constraint.unconstrained());
  EXPECT_TRUE(constraint.accept(450));  // an id without a token, as padding of a model's head has
  EXPECT_EQ(refused_at(constraint, words), -1);
  EXPECT_TRUE(constraint.unconstrained());
  EXPECT_TRUE(constraint.can_end());
  EXPECT_EQ(refused_at(constraint, std::string(marker::kCallsBegin)), -1);
  EXPECT_FALSE(constraint.unconstrained());
  EXPECT_FALSE(constraint.can_end());
  EXPECT_EQ(tokens_in(constraint.allowed()),
            std::vector<int32_t>{*model(false).tokenizer.id_of(marker::kCallBegin)});
  constraint.rollback(1);
  EXPECT_TRUE(constraint.unconstrained());
  // In thoughts a marker is text.
  ConstraintSpec thinking = spec;
  thinking.syntax.start = Start::kThoughts;
  EXPECT_TRUE(takes(thinking, std::string(marker::kCallsBegin) + "hm"));
  EXPECT_FALSE(takes(thinking, std::string(marker::kThinkEnd) + std::string(marker::kCallsBegin) + "hm"));
  EXPECT_TRUE(takes(thinking, std::string(marker::kThinkEnd) + "hm" + list({plain("we", "{}")})));
}

TEST(Constraint, FormatAndToolsTogether) {
  ConstraintSpec spec = tools(Choice::kAuto);
  spec.format = Format::kJsonObject;
  const std::string json = R"({"a": 1})", call = list({plain("we", "{}")});
  for (const auto& text : {json, call}) EXPECT_TRUE(takes(spec, text));
  for (const auto& text : {std::string("Hello"), json + call}) EXPECT_FALSE(takes(spec, text));
  spec.choice = Choice::kRequired;
  EXPECT_FALSE(takes(spec, json));
  EXPECT_TRUE(takes(spec, call));
}

// Without tokens for the markers they are written as text, and looked for in it.
TEST(Constraint, MarkersAsText) {
  const Model& m = model(true);
  const std::string paris = R"({"city": "Paris"})";
  ConstraintSpec spec = tools(Choice::kAuto);
  spec.syntax.calls_as_text = true;
  EXPECT_TRUE(takes(spec, "so <｜ <<｜tool▁call<", m));
  EXPECT_TRUE(takes(spec, "a<" + list({plain("weather", paris)}), m));
  EXPECT_TRUE(takes(spec, "<｜tool▁calls▁beg" + list({plain("weather", paris)}), m));
  EXPECT_TRUE(takes(spec, plain("we", "{}") + std::string(marker::kCallsEnd), m));
  EXPECT_FALSE(takes(spec, "a" + list({plain("weather", "{}")}), m));
  EXPECT_FALSE(takes(spec, "a" + std::string(marker::kCallsBegin), m));
  EXPECT_FALSE(takes(spec, "a" + list({plain("weather", R"({"city": "a<b"})")}), m));
  EXPECT_TRUE(takes(spec, "a" + list({plain("weather", R"({"city": "a\u003cb"})")}), m));
  EXPECT_FALSE(Constraint(compiled(spec, m)).unconstrained());

  ConstraintSpec json;
  json.format = Format::kJsonObject;
  json.syntax.start = Start::kThoughts;
  json.syntax.think_as_text = true;
  EXPECT_TRUE(takes(json, "a < b </thin</think>{}", m));
  EXPECT_TRUE(takes(json, "<<</</think>\n\n{\"a\":\"</think>\"}", m));
  EXPECT_FALSE(takes(json, "a</think>b</think>{}", m));
  EXPECT_FALSE(takes(json, "a{}", m));
}

TEST(Constraint, ErrorsNameTheField) {
  ConstraintSpec spec = tools(Choice::kRequired);
  const OrderedJson bad = OrderedJson::parse(R"({"type":"object","properties":{"a":{"oneOf":[{}]}}})");
  spec.tools[1].parameters = &bad;
  const auto error = [](const ConstraintSpec& s, const Model& m = model(false)) {
    const auto result = CompiledConstraint::compile(s, m.tokenizer, m.trie, std::array{m.eos});
    EXPECT_FALSE(result);
    return result ? "" : result.error().line();
  };
  EXPECT_EQ(
      error(spec),
      "tools[1].function.parameters: additionalProperties: must be false in a strict schema (at #); set it");
  spec.tool_rules = SchemaRules::kLoose;
  EXPECT_EQ(error(spec),
            "tools[1].function.parameters: oneOf: is not supported (at #/properties/a); remove or change it");
  spec.tools[1].parameters = nullptr;
  const OrderedJson number = OrderedJson::parse(R"({"type":"number"})");
  spec.tools[0].parameters = &number;
  EXPECT_EQ(error(spec).find("tools[0].function.parameters: type: "), 0u);
  spec = tools(Choice::kNamed);
  spec.chosen = "nothing";
  EXPECT_EQ(error(spec), "tool_choice: names no tool of the request; add the tool or choose another");
  spec = {};
  spec.format = Format::kJsonSchema;
  spec.schema = &bad;
  EXPECT_EQ(error(spec).find("response_format.json_schema.schema: oneOf: "), 0u);
  EXPECT_EQ(error(tools(Choice::kRequired), model(true)).find("tokenizer: "), 0u);
}

// What the parser of outputs makes of random answers: calls of the tools, with arguments that fit.
void check_random_calls(const ConstraintSpec& spec, const Model& m, uint64_t seeds) {
  const auto shared = compiled(spec, m);
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    Constraint constraint(shared);
    const Answer answer = random_answer(constraint, m.tokenizer, m.eos, seed, 30);
    ASSERT_TRUE(answer.finished) << answer.text;
    OutputParser parser(spec.syntax);
    std::vector<OutputEvent> events;
    for (const int32_t token : answer.tokens)
      if (token != m.eos) parser.feed(m.tokenizer.token_bytes(token), m.tokenizer.is_added(token), events);
    parser.finish(events);
    ASSERT_GE(parser.calls(), 1) << answer.text;
    std::string name, arguments;
    for (const auto& event : events) {
      if (event.kind == OutputEvent::Kind::kContent) {
        ASSERT_EQ(event.text, "\n\n") << answer.text;
      }
      if (event.kind == OutputEvent::Kind::kCallBegin) name = event.text, arguments.clear();
      if (event.kind == OutputEvent::Kind::kCallArguments) arguments += event.text;
      if (event.kind != OutputEvent::Kind::kCallEnd) continue;
      const OrderedJson value = OrderedJson::parse(arguments);
      ASSERT_TRUE(value.is_object());
      if (name == "weather") {
        ASSERT_EQ(schema_violation(city(), value), "") << arguments;
      } else {
        ASSERT_TRUE(name == "we" ? value.empty() : name == "free") << answer.text;
      }
    }
  }
}

void check_random_calls(CallSyntax calls, Start start, bool bare) {
  ConstraintSpec spec = tools(Choice::kRequired, calls);
  spec.syntax.start = start;
  spec.syntax.calls_as_text = spec.syntax.think_as_text = bare;
  check_random_calls(spec, model(bare), 300);
}

TEST(Constraint, RandomCallsParse) {
  for (const auto calls : {CallSyntax::kPlain, CallSyntax::kFenced}) {
    check_random_calls(calls, Start::kAnswer, false);
    check_random_calls(calls, Start::kAnswer, true);
    // Not without a token for the end of thoughts: random bytes never spell it.
    check_random_calls(calls, Start::kThoughts, false);
  }
}

TEST(CasesConstraint, RandomCallsParseWithThePilot) {
  FATHOM_NEEDS_CASES();
  auto tokenizer = Tokenizer::load(cases_directory() + "/pilot").value();
  auto trie = std::make_shared<const TokenTrie>(TokenTrie::build(tokenizer).value());
  const int32_t eos = *tokenizer.eos_id();
  const Model pilot{std::move(tokenizer), std::move(trie), eos};
  for (const auto calls : {CallSyntax::kPlain, CallSyntax::kFenced})
    check_random_calls(tools(Choice::kRequired, calls), pilot, 100);
}

}  // namespace
}  // namespace fathom::test
