#include "text/byte_tokenizer.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "text/chat_detect.h"
#include "text/chat_markers.h"
#include "text/tokenizer.h"

namespace fathom::text {
namespace {

Tokenizer load(const ByteTokenizerIds& ids) {
  const ByteTokenizerFiles files = byte_tokenizer_files(ids);
  return Tokenizer::load_text(files.tokenizer_json, files.tokenizer_config_json, "made").value();
}

TEST(ByteTokenizer, EveryByteIsAToken) {
  const Tokenizer t = load({.vocab_size = 1000});
  EXPECT_EQ(t.vocab_size(), kByteTokenizerSize);
  std::vector<bool> seen(256);
  for (int32_t id = 3; id < 259; ++id) {
    ASSERT_EQ(t.token_bytes(id).size(), 1u) << id;
    seen[static_cast<uint8_t>(t.token_bytes(id)[0])] = true;
  }
  for (int b = 0; b < 256; ++b) EXPECT_TRUE(seen[static_cast<size_t>(b)]) << b;
  const std::string text = "Hello, 世界! 1234567\r\n\t<b> 😀 e\u0301\x7f";
  const auto ids = t.encode(text, Special::recognised);
  EXPECT_EQ(ids.size(), text.size());
  EXPECT_EQ(t.decode(ids), text);
}

TEST(ByteTokenizer, SpecialTokensAreThoseOfV31) {
  const Tokenizer t = load({.vocab_size = kByteTokenizerSize});
  EXPECT_EQ(t.bos_id(), 0);
  EXPECT_EQ(t.eos_id(), 1);
  EXPECT_EQ(t.pad_id(), 1);  // as the official configuration says
  EXPECT_TRUE(t.add_bos());
  EXPECT_EQ(t.id_of("<｜▁pad▁｜>"), 2);
  int32_t id = 259;
  for (const std::string_view name :
       {std::string_view("<｜search▁begin｜>"), std::string_view("<｜search▁end｜>"), marker::kThinkBegin,
        marker::kThinkEnd, marker::kFimHole, marker::kFimBegin, marker::kFimEnd, marker::kUser,
        marker::kAssistant, std::string_view("<|EOT|>"), marker::kCallsBegin, marker::kCallsEnd,
        marker::kCallBegin, marker::kCallEnd, marker::kOutputsBegin, marker::kOutputsEnd,
        marker::kOutputBegin, marker::kOutputEnd, marker::kCallSeparator}) {
    EXPECT_EQ(t.encode(name, Special::recognised), std::vector<int32_t>{id}) << name;
    EXPECT_EQ(t.encode(name, Special::plain).size(), name.size()) << name;
    EXPECT_EQ(t.decode(std::vector<int32_t>{id}), name);
    EXPECT_EQ(t.is_special(id), name == "<|EOT|>") << name;
    ++id;
  }
  EXPECT_EQ(id, kByteTokenizerSize);
}

TEST(ByteTokenizer, TakesTheIdsOfTheConfiguration) {
  const Tokenizer far = load({.vocab_size = 163840, .bos = 163584, .eos = 163585, .pad = 163839});
  EXPECT_EQ(far.bos_id(), 163584);
  EXPECT_EQ(far.eos_id(), 163585);
  EXPECT_EQ(far.id_of("<｜▁pad▁｜>"), 163839);
  EXPECT_EQ(far.token_bytes(0), "!");
  EXPECT_EQ(far.encode(marker::kUser, Special::recognised), std::vector<int32_t>{256 + 7});
  const Tokenizer inside = load({.vocab_size = 300, .bos = 100, .eos = 7});
  EXPECT_EQ(inside.bos_id(), 100);
  EXPECT_EQ(inside.eos_id(), 7);
  EXPECT_EQ(inside.vocab_size(), kByteTokenizerSize);
  EXPECT_EQ(inside.decode(inside.encode("any text", Special::plain)), "any text");
  // Impossible wishes: one id for two tokens, ids outside the vocabulary.
  const Tokenizer odd = load({.vocab_size = 278, .bos = 5, .eos = 5, .pad = 10'000});
  EXPECT_EQ(odd.bos_id(), 5);
  EXPECT_EQ(odd.eos_id(), 0);
}

TEST(ByteTokenizer, ItsTemplateIsKnown) {
  EXPECT_EQ(chat_format_of_template(byte_tokenizer_template(), "made").value(), ChatFormat::kV3_1);
  const Json config = Json::parse(byte_tokenizer_files({.vocab_size = 300}).tokenizer_config_json);
  EXPECT_EQ(config["chat_template"], byte_tokenizer_template());
  // Any change makes it unknown.
  std::string changed(byte_tokenizer_template());
  changed.replace(changed.find("at.results = true"), 17, "at.results = false");
  EXPECT_FALSE(chat_format_of_template(changed, "made"));
}

}  // namespace
}  // namespace fathom::text
