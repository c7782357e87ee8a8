#include "text/split_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/byte_level.h"
#include "text/unicode_classes.h"

namespace fathom::text {
namespace {

using testing::ElementsAre;

std::vector<std::string> cut(const std::vector<std::string>& patterns, std::string_view text) {
  const auto rules =
      SplitRules::compile(patterns, std::vector<std::string>(patterns.size(), "rule"), "file").value();
  std::vector<Span> pieces;
  std::string shown;
  const bool changed = reclassed(text, shown);
  rules.split(changed ? shown : text, 0, text.size(), pieces);
  std::vector<std::string> out;
  for (const Span& p : pieces) out.emplace_back(text.substr(p.begin, p.end - p.begin));
  return out;
}

TEST(SplitRules, MatchesAndGapsArePieces) {
  EXPECT_THAT(cut({"\\p{N}{1,3}"}, "ab1234567c"), ElementsAre("ab", "123", "456", "7", "c"));
  EXPECT_THAT(cut({}, "any text"), ElementsAre("any text"));
  EXPECT_THAT(cut({"x"}, ""), ElementsAre());
  EXPECT_THAT(cut({"a*"}, "baac"), ElementsAre("b", "aa", "c"));
}

TEST(SplitRules, LaterRulesSeePiecesAlone) {
  // Where the first rule cuts, the text ends for the second: its look-ahead finds nothing behind.
  EXPECT_THAT(cut({"1", "\\s+(?!\\S)|\\s+"}, "a  1"), ElementsAre("a", "  ", "1"));
  EXPECT_THAT(cut({"\\s+(?!\\S)|\\s+"}, "a  1"), ElementsAre("a", " ", " ", "1"));
}

TEST(SplitRules, SplitsARangeAsATextOfItsOwn) {
  const auto rules = SplitRules::compile({"(?<!a)b|^c"}, {"rule"}, "file").value();
  std::vector<Span> pieces;
  rules.split("abxcb", 1, 5, pieces);
  EXPECT_THAT(pieces, ElementsAre(Span{1, 2}, Span{2, 4}, Span{4, 5}));
}

TEST(SplitRules, ClassesAreThoseOfUnicode16) {
  const auto is = [](const char* pattern, char32_t cp) {
    std::string text = "\x01";
    utf8::append(text, cp);
    return cut({pattern}, text + "\x01").size() == 3;
  };
  EXPECT_FALSE(is("\\s", 0x180E));
  EXPECT_TRUE(is("\\p{Cf}", 0x180E));
  for (const char32_t space : {0x85, 0xA0, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000})
    EXPECT_TRUE(is("\\s", space));
  for (const char32_t other : {0x200B, 0xFEFF, 0x1C}) EXPECT_FALSE(is("\\s", other));
  EXPECT_TRUE(is("\\p{L}", 0x1C89) && is("\\p{L}", 0x31350) && is("\\p{L}", 0x105C0));
  EXPECT_TRUE(is("\\p{M}", 0x0897) && is("\\p{M}", 0x11F00));
  EXPECT_TRUE(is("\\p{N}", 0x1CCF0) && is("\\p{P}", 0x1B4E) && is("\\p{S}", 0x1FAE9) && is("\\p{S}", 0x31EF));
  EXPECT_FALSE(is("\\p{L}|\\p{M}|\\p{N}|\\p{P}|\\p{S}", 0x323B0));
}

TEST(UnicodeClasses, KeepLengths) {
  std::string shown;
  EXPECT_FALSE(reclassed("plain \u00E9 \u4E2D \U0001F600", shown));
  std::string text;
  for (char32_t cp = 0; cp < 0x33000; ++cp)
    if (cp < 0xD800 || cp > 0xDFFF) utf8::append(text, cp);
  ASSERT_TRUE(reclassed(text, shown));
  ASSERT_EQ(shown.size(), text.size());
  EXPECT_TRUE(utf8::valid(shown));
  std::string again;
  EXPECT_FALSE(reclassed(shown, again));  // no stand-in needs one itself
}

TEST(AddedTokens, LeftmostThenLongest) {
  const AddedTokenMatcher matcher({{"ab", 1}, {"abcd", 2}, {"bcdef", 3}, {"a", 4}});
  const auto ids = [&](std::string_view text) {
    std::vector<int32_t> out;
    for (size_t at = 0; at < text.size();) {
      const auto m = matcher.find(text, at, text.size());
      if (m.id >= 0) out.push_back(m.id);
      at = m.end;
    }
    return out;
  };
  EXPECT_THAT(ids("abcdef"), ElementsAre(2));
  EXPECT_THAT(ids("abcxabax"), ElementsAre(1, 1, 4));
  EXPECT_THAT(ids("xbcdefx"), ElementsAre(3));
  EXPECT_THAT(ids("xyz"), ElementsAre());
  EXPECT_EQ(matcher.find("abcd", 0, 3).id, 1);  // nothing beyond the range
  EXPECT_EQ(AddedTokenMatcher().find("abc", 0, 3).id, -1);
}

TEST(ByteLevel, SpellsEveryByteOnce) {
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(b);
  std::string back;
  ASSERT_TRUE(append_bytes(byte_symbols(all), back));
  EXPECT_EQ(back, all);
  EXPECT_EQ(byte_symbols(" \n!"), "\u0120\u010A!");
  std::string kept = "x";
  EXPECT_FALSE(append_bytes("a\uFF5C", kept));
  EXPECT_FALSE(append_bytes("a b", kept));
  EXPECT_FALSE(append_bytes("\u0144", kept));
  EXPECT_EQ(kept, "x");
}

}  // namespace
}  // namespace fathom::text
