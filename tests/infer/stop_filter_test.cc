#include "infer/stop_filter.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace fathom::infer {
namespace {

std::string text_of(const std::vector<TextPiece>& pieces) {
  std::string text;
  for (const TextPiece& p : pieces) text += p.text;
  return text;
}

TEST(StopFilter, FindsAStopAcrossPieces) {
  StopFilter filter({"END"});
  std::vector<TextPiece> out;
  EXPECT_FALSE(filter.feed({"one E", false}, out));
  EXPECT_EQ(text_of(out), "one ");
  EXPECT_FALSE(filter.feed({"N", false}, out));
  EXPECT_TRUE(filter.feed({"D two", false}, out));
  EXPECT_EQ(text_of(out), "one ");
  EXPECT_EQ(filter.found(), "END");
}

TEST(StopFilter, GivesOutWhatDidNotBecomeAStop) {
  StopFilter filter({"aab"});
  std::vector<TextPiece> out;
  EXPECT_FALSE(filter.feed({"xaa", false}, out));
  EXPECT_EQ(text_of(out), "x");
  EXPECT_FALSE(filter.feed({"a", false}, out));
  EXPECT_EQ(text_of(out), "xa");
  filter.finish(out);
  EXPECT_EQ(text_of(out), "xaaa");
}

TEST(StopFilter, TheStopThatBeginsFirstCounts) {
  StopFilter filter({"cd", "bcde"});
  std::vector<TextPiece> out;
  EXPECT_TRUE(filter.feed({"abcdef", false}, out));
  EXPECT_EQ(text_of(out), "a");
  EXPECT_EQ(filter.found(), "bcde");
}

TEST(StopFilter, SpecialTokensStayWhole) {
  StopFilter filter({"<x>!"});
  std::vector<TextPiece> out;
  EXPECT_FALSE(filter.feed({"hello", false}, out));
  EXPECT_FALSE(filter.feed({"<x>", true}, out));
  EXPECT_EQ(out.size(), 1u);
  EXPECT_FALSE(filter.feed({"?", false}, out));
  EXPECT_EQ(out, (std::vector<TextPiece>{{"hello", false}, {"<x>", true}, {"?", false}}));
}

TEST(StopFilter, EmptyStopsAreIgnored) {
  StopFilter filter({""});
  std::vector<TextPiece> out;
  EXPECT_FALSE(filter.active());
  EXPECT_FALSE(filter.feed({"a", false}, out));
  EXPECT_EQ(text_of(out), "a");
}

// Random texts over two letters, random stops, random cuts: the filter agrees with a search of the whole
// text.
TEST(StopFilter, AgreesWithASearchOfTheWholeText) {
  const auto random = [](uint64_t a, uint64_t b) { return philox(1, a, b)[0]; };
  for (uint64_t round = 0; round < 3000; ++round) {
    const auto letters = [&](uint64_t salt, size_t length) {
      std::string s;
      for (size_t i = 0; i < length; ++i) s += random(round, 1000 * salt + i) % 2 ? 'a' : 'b';
      return s;
    };
    const std::string text = letters(1, 20);
    std::vector<std::string> stops = {letters(2, 1 + random(round, 7) % 7),
                                      letters(3, 1 + random(round, 8) % 7)};
    StopFilter filter(stops);
    std::vector<TextPiece> out;
    size_t fed = 0;
    bool stopped = false;
    while (fed < text.size() && !stopped) {
      const size_t count = 1 + random(round, 100 + fed) % 3;
      stopped = filter.feed({text.substr(fed, count), false}, out);
      fed = std::min(text.size(), fed + count);
      size_t first = std::string::npos;
      for (const std::string& s : stops) first = std::min(first, text.substr(0, fed).find(s));
      ASSERT_EQ(stopped, first != std::string::npos);
      if (stopped)
        ASSERT_EQ(text_of(out), text.substr(0, first));
      else
        ASSERT_TRUE(text.starts_with(text_of(out)));
    }
    if (stopped) continue;
    filter.finish(out);
    ASSERT_EQ(text_of(out), text);
  }
}

}  // namespace
}  // namespace fathom::infer
