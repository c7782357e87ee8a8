#include "base/utf8.h"

#include <gtest/gtest.h>

namespace fathom {
namespace {

TEST(Utf8, RefusesOverlongSurrogatesAndBeyondUnicode) {
  EXPECT_TRUE(utf8::valid("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\xE2\x82", "\x80"})
    EXPECT_FALSE(utf8::valid(bad)) << bad;
}

TEST(Utf8, RepairsEachMaximalPrefixOnce) {
  EXPECT_EQ(utf8::repaired("a\xE2\x82z"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(utf8::repaired("\xF0\x9F\x98"), "\xEF\xBF\xBD");
  EXPECT_EQ(utf8::repaired("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf8, CompletePrefixHoldsBackWhatMayGrow) {
  EXPECT_EQ(utf8::complete_prefix("ab\xF0\x9F\x98"), 2u);
  EXPECT_EQ(utf8::complete_prefix("ab\xC3\xA9"), 4u);
  EXPECT_EQ(utf8::complete_prefix("ab\x80"), 3u);  // can never become a character
  EXPECT_EQ(utf8::complete_prefix("\xE2"), 0u);
}

}  // namespace
}  // namespace fathom
