#include "text/output_parser.h"

#include <gtest/gtest.h>

#include <random>

#include "text/chat_markers.h"

namespace fathom::text {
namespace {

using Kind = OutputEvent::Kind;
using Start = OutputSyntax::Start;
using Events = std::vector<OutputEvent>;

struct Piece {
  std::string text;
  bool special;
};
using Pieces = std::vector<Piece>;

// Plain text and markers: an added token wherever a marker's name stands.
Pieces tokens_of(std::string_view text) {
  Pieces out;
  while (!text.empty()) {
    std::string_view first;
    size_t at = text.size();
    for (const auto name : {marker::kThinkBegin, marker::kThinkEnd, marker::kCallsBegin, marker::kCallsEnd,
                            marker::kCallBegin, marker::kCallEnd, marker::kCallSeparator, marker::kUser}) {
      const size_t found = text.find(name);
      if (found < at) at = found, first = name;
    }
    if (at > 0) out.push_back({std::string(text.substr(0, at)), false});
    if (!first.empty()) out.push_back({std::string(first), true});
    text.remove_prefix(std::min(text.size(), at + first.size()));
  }
  return out;
}

Events parse(const Pieces& pieces, OutputSyntax syntax) {
  OutputParser parser(syntax);
  Events events;
  for (const Piece& piece : pieces) parser.feed(piece.text, piece.special, events);
  parser.finish(events);
  return events;
}

Events parse(std::string_view text, OutputSyntax syntax) { return parse(tokens_of(text), syntax); }

constexpr OutputSyntax kPlain{.start = Start::kAnswer, .calls = CallSyntax::kPlain};
constexpr OutputSyntax kFenced{.start = Start::kAnswer, .calls = CallSyntax::kFenced};

Events two_calls(const char* name, const char* arguments, const char* second_arguments) {
  return {{Kind::kCallBegin, name, 0}, {Kind::kCallArguments, arguments, 0},        {Kind::kCallEnd, "", 0},
          {Kind::kCallBegin, name, 1}, {Kind::kCallArguments, second_arguments, 1}, {Kind::kCallEnd, "", 1}};
}

TEST(OutputParser, ThoughtsThatThePromptOpenedEndAtTheirMarker) {
  const OutputSyntax syntax{.start = Start::kThoughts, .calls = CallSyntax::kPlain};
  const Events want = {{Kind::kReasoning, "Let me see.\n"}, {Kind::kContent, "\n\nIt is 4."}};
  EXPECT_EQ(parse("Let me see.\n</think>\n\nIt is 4.", syntax), want);
  const Events cut = {{Kind::kReasoning, "Let me"}};
  EXPECT_EQ(parse("Let me", syntax), cut);
}

TEST(OutputParser, ThoughtsThatTheOutputOpens) {
  const OutputSyntax syntax{.start = Start::kOpen, .calls = CallSyntax::kFenced};
  const Events want = {{Kind::kReasoning, "\nHm"}, {Kind::kContent, "Yes"}};
  EXPECT_EQ(parse("<think>\nHm</think>Yes", syntax), want);
  EXPECT_EQ(parse(" \n<think>\nHm</think>Yes", syntax), want);
  const Events none = {{Kind::kContent, " \nYes<think>no"}};
  EXPECT_EQ(parse(" \nYes<think>no", syntax), none);
  EXPECT_EQ(parse("", syntax), Events{});
  EXPECT_EQ(parse("\n", syntax), (Events{{Kind::kContent, "\n"}}));
}

TEST(OutputParser, SpelledMarkersAreTextWhereTokensExist) {
  OutputSyntax syntax{.start = Start::kThoughts, .calls = CallSyntax::kPlain};
  const Pieces spelled = {{"a</think>b", false}, {"</think>", true}, {"<｜tool▁calls▁begin｜>", false}};
  const Events want = {{Kind::kReasoning, "a</think>b"}, {Kind::kContent, "<｜tool▁calls▁begin｜>"}};
  EXPECT_EQ(parse(spelled, syntax), want);
  syntax.think_as_text = true;
  const Events as_text = {{Kind::kReasoning, "a"}, {Kind::kContent, "b</think><｜tool▁calls▁begin｜>"}};
  EXPECT_EQ(parse(spelled, syntax), as_text);
}

TEST(OutputParser, PlainCalls) {
  const std::string text =
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": "
      "\"Paris\"}<｜tool▁call▁end｜>"
      "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>";
  Events want = two_calls("get_weather", "{\"city\": \"Paris\"}", "{}");
  EXPECT_EQ(parse(text, kPlain), want);
  want.insert(want.begin(), {Kind::kContent, "I will look."});
  EXPECT_EQ(parse("I will look." + text, kPlain), want);
}

TEST(OutputParser, FencedCalls) {
  const std::string call =
      "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": \"```\\n\"}\n```<｜tool▁call▁end｜>";
  const Events want = two_calls("f", "{\"a\": \"```\\n\"}", "{\"a\": \"```\\n\"}");
  EXPECT_EQ(parse("<｜tool▁calls▁begin｜>" + call + "\n" + call + "<｜tool▁calls▁end｜>", kFenced), want);
  EXPECT_EQ(parse(call + "\n" + call, kFenced), want) << "without the markers of the list";
  const Events fence_in_arguments = {
      {Kind::kCallBegin, "f", 0}, {Kind::kCallArguments, "x\n```\ny", 0}, {Kind::kCallEnd, "", 0}};
  EXPECT_EQ(
      parse("<｜tool▁call▁begin｜>t<｜tool▁sep｜>f\n```json\nx\n```\ny\n```\n<｜tool▁call▁end｜>", kFenced),
      fence_in_arguments);
}

TEST(OutputParser, CallsThatTheOutputCutsOff) {
  const std::string head = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f";
  EXPECT_EQ(parse(head, kPlain), (Events{{Kind::kContent, head}}));
  const Events open = {{Kind::kCallBegin, "f", 0}, {Kind::kCallArguments, "{\"a", 0}};
  EXPECT_EQ(parse(head + "<｜tool▁sep｜>{\"a", kPlain), open);
  const Events closed = {
      {Kind::kCallBegin, "f", 0}, {Kind::kCallArguments, "{}", 0}, {Kind::kCallEnd, "", 0}};
  EXPECT_EQ(parse(head + "<｜tool▁sep｜>f\n```json\n{}\n```", kFenced), closed);
  EXPECT_EQ(parse(head + "<｜tool▁sep｜>{}<｜tool▁calls▁end｜>", kPlain), closed);
}

TEST(OutputParser, MalformedCallsAreContent) {
  const std::string open = "<｜tool▁calls▁begin｜>";
  for (const std::string& text :
       {open + "<｜tool▁calls▁end｜>", open + "hello", open + " <｜tool▁call▁begin｜><｜tool▁sep｜>{}",
        open + "<｜tool▁call▁begin｜>two words<｜tool▁sep｜>{}<｜tool▁call▁end｜>", open + open,
        open + "</think>", open + "<｜tool▁call▁begin｜>" + std::string(400, 'n') + "<｜tool▁sep｜>{}",
        open + std::string(100, ' '), std::string("<｜tool▁call▁end｜>x<｜tool▁sep｜>"),
        std::string("a<｜User｜>b")}) {
    EXPECT_EQ(parse(text, kPlain), (Events{{Kind::kContent, text}})) << text;
  }
  for (const std::string& text :
       {open + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n{}\n```<｜tool▁call▁end｜>",
        open + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>\n```json\n{}",
        open + "<｜tool▁call▁begin｜>function",
        open + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```js<｜tool▁call▁end｜>",
        open + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>" + std::string(255, 'f') + "\n```json\n{}"}) {
    EXPECT_EQ(parse(text, kFenced), (Events{{Kind::kContent, text}})) << text;
  }
}

TEST(OutputParser, CallsAreTextWhereNoneAreLookedFor) {
  OutputSyntax syntax = kPlain;
  syntax.parse_calls = false;
  const std::string text = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}";
  EXPECT_EQ(parse(text, syntax), (Events{{Kind::kContent, text}}));
}

std::string random_output(std::mt19937& rng) {
  static const std::vector<std::string> parts = {
      "<think>",
      "</think>",
      "<｜tool▁calls▁begin｜>",
      "<｜tool▁calls▁end｜>",
      "<｜tool▁call▁begin｜>",
      "<｜tool▁call▁end｜>",
      "<｜tool▁sep｜>",
      "function",
      "f",
      "\n",
      "```",
      "```json\n",
      "\n```json\n",
      "\n```",
      "{\"a\": 1}",
      " ",
      "<",
      "</thi",
      "<｜tool▁",
      "\xef\xbd",
      "好",
      std::string(70, ' '),
      std::string(250, 'n'),
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>g\n```json\n",
      "\n```<｜tool▁call▁end｜>",
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>",
      "<<think>",
      "<｜User｜>"};
  std::string out;
  for (int n = static_cast<int>(rng() % 12); n > 0; --n) out += parts[rng() % parts.size()];
  return out;
}

Pieces cut_anywhere(const std::string& text, std::mt19937& rng) {
  Pieces out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = std::min(text.size() - at, size_t{1} + rng() % (rng() % 2 != 0 ? 1 : 40));
    out.push_back({text.substr(at, length), false});
    at += length;
  }
  return out;
}

OutputSyntax random_syntax(std::mt19937& rng) {
  return {.start = static_cast<Start>(rng() % 3), .calls = static_cast<CallSyntax>(rng() % 2)};
}

TEST(OutputParser, CutsChangeNothing) {
  std::mt19937 rng(7);
  for (int round = 0; round < 30000; ++round) {
    const std::string text = random_output(rng);
    OutputSyntax syntax = random_syntax(rng);
    const Events by_tokens = parse(text, syntax);
    Pieces split;
    for (const Piece& piece : tokens_of(text)) {
      if (piece.special) {
        split.push_back(piece);
      } else {
        for (Piece& part : cut_anywhere(piece.text, rng)) split.push_back(std::move(part));
      }
    }
    ASSERT_EQ(parse(split, syntax), by_tokens) << text;
    syntax.think_as_text = syntax.calls_as_text = true;
    ASSERT_EQ(parse({{text, false}}, syntax), by_tokens) << text;
    ASSERT_EQ(parse(cut_anywhere(text, rng), syntax), by_tokens) << text;
  }
}

TEST(OutputParser, HoldsBackLittle) {
  std::mt19937 rng(8);
  for (int round = 0; round < 5000; ++round) {
    OutputSyntax syntax = random_syntax(rng);
    syntax.think_as_text = syntax.calls_as_text = rng() % 2 != 0;
    OutputParser parser(syntax);
    Events events;
    size_t fed = 0;
    const std::string text = random_output(rng);
    for (const Piece& piece : syntax.calls_as_text ? cut_anywhere(text, rng) : tokens_of(text)) {
      parser.feed(piece.text, piece.special, events);
      fed += piece.text.size();
    }
    size_t given = 0;
    for (const OutputEvent& event : events) given += event.text.size();
    Events rest;
    parser.finish(rest);
    size_t late = 0;
    for (const OutputEvent& event : rest) late += event.text.size();
    ASSERT_LE(late, OutputParser::kLongestHold) << text;
    ASSERT_LE(given + late, fed) << text;
  }
}

}  // namespace
}  // namespace fathom::text
