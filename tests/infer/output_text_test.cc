#include "infer/output_text.h"

#include <gtest/gtest.h>

#include "tests/text/small_tokenizer.h"

namespace fathom::infer {
namespace {

text::Tokenizer tokenizer() {
  return text::Tokenizer::load_text(test::small_tokenizer_json().dump(), "", "test").value();
}

std::string joined(const std::vector<TextPiece>& pieces) {
  std::string text;
  for (const TextPiece& p : pieces) text += p.text;
  return text;
}

// Id of the token of one byte in the small tokenizer.
int32_t byte_id(unsigned char b) { return 2 + b; }

TEST(OutputText, PiecesJoinToTheDecodedText) {
  const text::Tokenizer t = tokenizer();
  std::vector<int32_t> ids = t.encode("hello w\xC3\xA9 \xE4\xBD\xA0 <user> x", text::Special::recognised);
  ids.push_back(byte_id(0xE4));  // half a character, then a special token, then another half
  ids.push_back(test::kSmallUser);
  ids.push_back(byte_id(0xE4));
  OutputText out(&t, {});
  std::vector<TextPiece> pieces;
  for (int32_t id : ids) EXPECT_FALSE(out.feed(id, pieces));
  EXPECT_FALSE(out.finish(pieces));
  EXPECT_EQ(joined(pieces), t.decode(ids));
  EXPECT_EQ(std::ranges::count(pieces, TextPiece{"<user>", true}), 2);
}

TEST(OutputText, NeverGivesOutHalfACharacter) {
  const text::Tokenizer t = tokenizer();
  OutputText out(&t, {});
  std::vector<TextPiece> pieces;
  for (unsigned char b : {0xE4, 0xBD}) out.feed(byte_id(b), pieces);
  EXPECT_EQ(joined(pieces), "");
  out.feed(byte_id(0xA0), pieces);
  EXPECT_EQ(joined(pieces), "\xE4\xBD\xA0");
}

TEST(OutputText, AStopInsideACharacterOfSeveralTokens) {
  const text::Tokenizer t = tokenizer();
  OutputText out(&t, {"\xE4\xBD\xA0!"});
  std::vector<TextPiece> pieces;
  for (unsigned char b : {0x61, 0xE4, 0xBD, 0xA0}) EXPECT_FALSE(out.feed(byte_id(b), pieces));
  EXPECT_EQ(joined(pieces), "a");
  EXPECT_TRUE(out.feed(byte_id('!'), pieces));
  EXPECT_EQ(joined(pieces), "a");
}

TEST(OutputText, AStopMayBeASpecialToken) {
  const text::Tokenizer t = tokenizer();
  OutputText out(&t, {"<user>"});
  std::vector<TextPiece> pieces;
  EXPECT_FALSE(out.feed(byte_id('a'), pieces));
  EXPECT_TRUE(out.feed(test::kSmallUser, pieces));
  EXPECT_EQ(joined(pieces), "a");
}

TEST(OutputText, AReplacementAtTheEndMayCompleteAStop) {
  const text::Tokenizer t = tokenizer();
  OutputText out(&t, {"\xEF\xBF\xBD"});
  std::vector<TextPiece> pieces;
  EXPECT_FALSE(out.feed(byte_id(0xE4), pieces));
  EXPECT_TRUE(out.finish(pieces));
  EXPECT_EQ(joined(pieces), "");
}

}  // namespace
}  // namespace fathom::infer
