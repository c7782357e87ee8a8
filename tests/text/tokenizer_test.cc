#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/utf8.h"
#include "tests/text/small_tokenizer.h"

namespace fathom::text {
namespace {

using testing::ElementsAre;
using Ids = std::vector<int32_t>;

Tokenizer small(const std::string& config = "") {
  return Tokenizer::load_text(test::small_tokenizer_json().dump(), config, "small").value();
}

int32_t id(const Tokenizer& t, std::string_view token) { return t.id_of(token).value(); }

// Text of valid UTF-8 with ASCII, spaces, names of added tokens and any other character.
std::string random_text(std::mt19937& random, size_t characters) {
  std::string text;
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  for (size_t i = 0; i < characters; ++i) {
    switch (below(6)) {
      case 0:
        text += static_cast<char>(below(128));
        break;
      case 1:
        text += " \n\thelo wr!1a"[below(13)];
        break;
      case 2:
        text += std::array{"<s>", "</s>", "<user>", "<user>s", "hello", "<us"}[below(6)];
        break;
      case 3:
        utf8::append(text, below(0x800));
        break;
      case 4:
        utf8::append(text, below(0xD800));
        break;
      default:
        utf8::append(text, 0xE000 + below(0x110000 - 0xE000));
    }
  }
  return text;
}

TEST(Tokenizer, MergesInOrderOfRank) {
  const Tokenizer t = small();
  EXPECT_THAT(t.encode("hello world", Special::recognised),
              ElementsAre(id(t, "hello"), id(t, " wor"), id(t, "l"), id(t, "d")));
  EXPECT_THAT(t.encode("aaaaa", Special::plain), ElementsAre(id(t, "aaaa"), id(t, "a")));
  EXPECT_THAT(t.encode("12345", Special::plain),
              ElementsAre(id(t, "1"), id(t, "2"), id(t, "3"), id(t, "4"), id(t, "5")));
  EXPECT_THAT(t.encode("\xC3\xA9", Special::plain), ElementsAre(id(t, "\xC3\xA9")));
  EXPECT_TRUE(t.encode("", Special::recognised).empty());
}

TEST(Tokenizer, AddedTokensLongestFirst) {
  const Tokenizer t = small();
  EXPECT_THAT(t.encode("<user>s<user><s>", Special::recognised),
              ElementsAre(test::kSmallUserLong, test::kSmallUser, test::kSmallBegin));
  EXPECT_THAT(t.encode("<user", Special::recognised), testing::SizeIs(5));
  const Ids plain = t.encode("<user></s>", Special::plain);
  for (const int32_t i : plain) EXPECT_FALSE(t.is_added(i));
  EXPECT_EQ(t.decode(plain), "<user></s>");
}

TEST(Tokenizer, NotNormalizedNamesWin) {
  Json json = test::small_tokenizer_json();
  json["added_tokens"].push_back(
      {{"id", 402}, {"content", "r></s"}, {"special", false}, {"normalized", true}});
  const Tokenizer t = Tokenizer::load_text(json.dump(), "", "small").value();
  // The name that begins later is not normalized, so it is taken out of the text before the other is looked
  // for.
  EXPECT_THAT(t.encode("r></s>", Special::recognised), ElementsAre(id(t, "r"), id(t, ">"), test::kSmallEnd));
  EXPECT_THAT(t.encode("r></s", Special::recognised), ElementsAre(402));
}

TEST(Tokenizer, SpansAloneHoldAddedTokens) {
  const Tokenizer t = small();
  const std::string text = "<s>hello<s> <user>";
  const std::vector<Span> spans = {{0, 3}, {12, 14}, {14, 18}};  // the last two touch and count as one
  const Ids ids = t.encode(text, spans);
  Ids want = {test::kSmallBegin};
  for (const int32_t i : t.encode("hello<s> ", Special::plain)) want.push_back(i);
  want.push_back(test::kSmallUser);
  EXPECT_EQ(ids, want);
  // A name that reaches out of its span is plain text.
  for (const Span& cut : {Span{0, 2}, Span{1, 3}, Span{1, 1}}) {
    const Ids plain = t.encode("<s>", std::span<const Span>(&cut, 1));
    EXPECT_EQ(plain, t.encode("<s>", Special::plain));
  }
}

TEST(Tokenizer, SpansDoNotCutTheText) {
  const Tokenizer t = small();
  const Span middle{2, 4};  // inside "hello", which stays one token
  EXPECT_THAT(t.encode("hello", std::span<const Span>(&middle, 1)), ElementsAre(id(t, "hello")));
}

TEST(Tokenizer, SpansInBrokenText) {
  const Tokenizer t = small();
  const std::vector<Span> spans = {{2, 5}, {7, 10}};
  const Ids ids = t.encode("\xFF\xFE<s>\xE4\xB8</s>", spans);  // "</s" of the last name lies inside
  Ids want = t.encode("\uFFFD\uFFFD", Special::plain);
  want.push_back(test::kSmallBegin);
  for (const int32_t i : t.encode("\uFFFD</s>", Special::plain)) want.push_back(i);
  EXPECT_EQ(ids, want);
}

TEST(Tokenizer, RoundTripOfAnyText) {
  const Tokenizer t = small();
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_text(random, random() % 60);
    const Ids everywhere = t.encode(text, Special::recognised), plain = t.encode(text, Special::plain);
    ASSERT_EQ(t.decode(everywhere), text);
    ASSERT_EQ(t.decode(plain), text);
    for (const int32_t token : plain) ASSERT_TRUE(!t.is_added(token) && t.has_token(token));
    const Span whole{0, text.size()};
    ASSERT_EQ(t.encode(text, std::span<const Span>(&whole, 1)), everywhere);
  }
}

TEST(Tokenizer, BrokenTextIsRepairedFirst) {
  const Tokenizer t = small();
  std::mt19937 random(8);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    ASSERT_EQ(t.decode(t.encode(text, Special::plain)), utf8::repaired(text));
  }
}

TEST(Tokenizer, KnowsItsTokens) {
  const Tokenizer t =
      small(R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": true})");
  EXPECT_EQ(t.vocab_size(), 402);
  EXPECT_EQ(t.bos_id(), test::kSmallBegin);
  EXPECT_EQ(t.eos_id(), test::kSmallEnd);
  EXPECT_EQ(t.pad_id(), std::nullopt);
  EXPECT_TRUE(t.add_bos());
  EXPECT_TRUE(t.has_token(0) && t.has_token(257) && t.has_token(401));
  for (const int32_t none : {-1, 399, 402, INT32_MAX, INT32_MIN}) {
    EXPECT_FALSE(t.has_token(none) || t.is_added(none) || t.is_special(none)) << none;
    EXPECT_EQ(t.token_bytes(none), "");
  }
  EXPECT_TRUE(t.is_special(0) && t.is_added(400) && !t.is_special(400) && !t.is_added(100));
  EXPECT_EQ(t.token_bytes(id(t, " wor")), " wor");
  EXPECT_EQ(t.id_of("<user>s"), test::kSmallUserLong);
  EXPECT_EQ(t.id_of("nothing"), std::nullopt);
  const Ids ids = {0, 399, id(t, "hello"), 400, 1};
  EXPECT_EQ(t.decode(ids), "<s>hello<user></s>");
  EXPECT_EQ(t.decode(ids, false), "hello<user>");
  EXPECT_FALSE(small().add_bos());
}

TEST(Tokenizer, AcceptsBothFormsOfMerges) {
  Json json = test::small_tokenizer_json();
  for (Json& merge : json["model"]["merges"]) {
    const auto line = merge.get<std::string>();
    merge = {line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1)};
  }
  const Tokenizer pairs = Tokenizer::load_text(json.dump(), "", "small").value(), lines = small();
  for (const char* text : {"hello world  !!", "aaaa aaa"})
    EXPECT_EQ(pairs.encode(text, Special::plain), lines.encode(text, Special::plain));
}

TEST(Tokenizer, WholePiecesOnlyWhereMergesGiveThem) {
  Json json = test::small_tokenizer_json();
  json["model"]["vocab"]["xyz"] = 300;  // no merges lead here
  const Tokenizer merged = Tokenizer::load_text(json.dump(), "", "small").value();
  for (int again = 0; again < 2; ++again)
    EXPECT_THAT(merged.encode("xyz", Special::plain), testing::SizeIs(3));
  json["model"]["ignore_merges"] = true;
  EXPECT_THAT(Tokenizer::load_text(json.dump(), "", "small")->encode("xyz", Special::plain),
              ElementsAre(300));
}

TEST(Tokenizer, ThreadsShareOne) {
  const Tokenizer t = small();
  std::mt19937 random(9);
  std::vector<std::string> texts;
  std::vector<Ids> want;
  for (int i = 0; i < 200; ++i) texts.push_back(random_text(random, 40));
  for (const auto& text : texts) want.push_back(small().encode(text, Special::recognised));
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (size_t k = 0; k < wrong.size(); ++k)
    threads.emplace_back([&, k] {
      for (size_t i = 0; i < texts.size(); ++i)
        wrong[k] += t.encode(texts[i], Special::recognised) != want[i];
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(StreamDecoder, NeverHalfACharacter) {
  const Tokenizer t = small();
  std::mt19937 random(10);
  for (int i = 0; i < 1000; ++i) {
    Ids ids;
    if (i % 2 == 0) {
      ids = t.encode(random_text(random, 20), Special::recognised);
    } else {
      for (int k = 0; k < 30; ++k) ids.push_back(static_cast<int32_t>(random() % 410));  // broken text too
    }
    for (const bool keep : {true, false}) {
      StreamDecoder stream(t, keep);
      std::string all;
      for (const int32_t token : ids) {
        const std::string piece = stream.feed(token);
        ASSERT_TRUE(utf8::valid(piece));
        all += piece;
      }
      all += stream.flush();
      ASSERT_EQ(all, t.decode(ids, keep));
      ASSERT_EQ(stream.flush(), "");
    }
  }
}

TEST(StreamDecoder, HoldsBackOnlyWhatMayGrow) {
  const Tokenizer t = small();
  StreamDecoder stream(t);
  const auto byte = [&](int b) { return stream.feed(b + 2); };
  EXPECT_EQ(byte('a'), "a");
  EXPECT_EQ(byte(0xE4), "");
  EXPECT_EQ(byte(0xB8), "");
  EXPECT_EQ(byte(0xAD), "\u4E2D");
  EXPECT_EQ(byte(0xFF), "\uFFFD");
  EXPECT_EQ(byte(0xF0), "");
  EXPECT_EQ(byte('b'), "\uFFFDb");
  EXPECT_EQ(byte(0xC3), "");
  EXPECT_EQ(stream.flush(), "\uFFFD");
}

}  // namespace
}  // namespace fathom::text
