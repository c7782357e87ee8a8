// Tokenizer files that must be refused, each in one line that says where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/text/small_tokenizer.h"
#include "tests/support/temporary_directory.h"
#include "text/tokenizer.h"
#include "text/tokenizer_file.h"

namespace fathom::text {
namespace {

using testing::HasSubstr;

void expect_refused(const std::string& json, const std::string& part, const std::string& config = "") {
  const auto loaded = Tokenizer::load_text(json, config, "DIR/tokenizer.json");
  ASSERT_FALSE(loaded) << part;
  const std::string line = loaded.error().line();
  EXPECT_THAT(line, testing::StartsWith("DIR/tokenizer.json"));
  EXPECT_THAT(line, HasSubstr(part));
  EXPECT_LT(line.size(), 400u);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_FALSE(loaded.error().remedy.empty()) << line;
}

struct Mutation {
  const char* expected;  // part of the error
  std::function<void(Json&)> make;
};

// Assigns `value` at a JSON pointer.
std::function<void(Json&)> set(const char* pointer, Json value) {
  return [=](Json& json) { json[Json::json_pointer(pointer)] = value; };
}
std::function<void(Json&)> erase(const char* parent, const char* key) {
  return [=](Json& json) { json[Json::json_pointer(parent)].erase(key); };
}

constexpr const char* kRule = "/pre_tokenizer/pretokenizers/0/pattern/Regex";

TEST(TokenizerFile, RefusesOtherKinds) {
  const Mutation mutations[] = {
      {"model: is missing", erase("", "model")},
      {"model.type: \"WordPiece\"", set("/model/type", "WordPiece")},
      {"model.type: \"\"", set("/model/type", 3)},
      {"model.dropout", set("/model/dropout", 0.1)},
      {"model.byte_fallback", set("/model/byte_fallback", true)},
      {"model.byte_fallback", set("/model/byte_fallback", "no")},
      {"model.continuing_subword_prefix", set("/model/continuing_subword_prefix", "##")},
      {"model.end_of_word_suffix", set("/model/end_of_word_suffix", "</w>")},
      {"normalizer", set("/normalizer", {{"type", "NFC"}})},
      {"normalizer", set("/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}}}})},
      {"pre_tokenizer", set("/pre_tokenizer", nullptr)},
      {"pre_tokenizer", set("/pre_tokenizer/pretokenizers", Json::array())},
      {"pretokenizers[2]", set("/pre_tokenizer/pretokenizers/2/type", "Digits")},
      {"pretokenizers[2].add_prefix_space", set("/pre_tokenizer/pretokenizers/2/add_prefix_space", true)},
      {"pretokenizers[2].use_regex", set("/pre_tokenizer/pretokenizers/2/use_regex", true)},
      {"pretokenizers[0].behavior", set("/pre_tokenizer/pretokenizers/0/behavior", "Removed")},
      {"pretokenizers[0].invert", set("/pre_tokenizer/pretokenizers/0/invert", true)},
      {"pretokenizers[0].pattern", set("/pre_tokenizer/pretokenizers/0/pattern", {{"String", " "}})},
      {"pretokenizers[0]", set("/pre_tokenizer/pretokenizers/0/type", "Whitespace")},
      {"decoder", erase("", "decoder")},
      {"decoder", set("/decoder/type", "WordPiece")},
      {"post_processor", set("/post_processor", {{"type", "BertProcessing"}})},
      {"added_tokens[1].lstrip", set("/added_tokens/1/lstrip", true)},
      {"added_tokens[1].rstrip", set("/added_tokens/1/rstrip", true)},
      {"added_tokens[1].single_word", set("/added_tokens/1/single_word", true)},
  };
  for (const Mutation& m : mutations) {
    Json json = test::small_tokenizer_json();
    m.make(json);
    expect_refused(json.dump(), m.expected);
  }
}

TEST(TokenizerFile, RefusesBadContents) {
  const Mutation mutations[] = {
      {"model.vocab: is missing", erase("/model", "vocab")},
      {"model.vocab: is missing", set("/model/vocab", Json::array({1}))},
      {"model.merges: is missing", erase("/model", "merges")},
      {"no token for the byte 97", erase("/model/vocab", "a")},
      {"the id 2147483648", set("/model/vocab/a", 2147483648u)},
      {"the id -1", set("/model/vocab/a", -1)},
      {"not a whole number", set("/model/vocab/a", 1.5)},
      {"not a whole number", set("/model/vocab/a", Json::object())},
      {"not a whole number", set("/model/vocab/a", "7")},
      {"the id 100 is given to", set("/model/vocab/a", 100)},
      {"is empty", [](Json& j) { j["model"]["vocab"][""] = 300; }},
      {"model.merges[1]: joins \"zz\", which is not", set("/model/merges/1", "zz a")},
      {"model.merges[1]: joins \"zz\", which is not", set("/model/merges/1", "a zz")},
      {"model.merges[1]: gives \"ab\", which is not", set("/model/merges/1", "a b")},
      {"model.merges[1]: joins the same tokens as model.merges[0]", set("/model/merges/1", "h e")},
      {"model.merges[1]: joins \"\xEF\xBD\x9C\", which is no text of bytes",
       set("/model/merges/1", "\xEF\xBD\x9C a")},
      {"model.merges[1]: is not two tokens", set("/model/merges/1", "ab")},
      {"model.merges[1]: is not two tokens", set("/model/merges/1", "a b c")},
      {"model.merges[1]: joins \"\"", set("/model/merges/1", " a")},
      {"model.merges[1]: is not a pair", set("/model/merges/1", {"a"})},
      {"model.merges[1]: is not a pair", set("/model/merges/1", {"h", "e", "l"})},
      {"model.merges[1]: is neither", set("/model/merges/1", 5)},
      {"model.merges[1]: is neither", set("/model/merges/1", {"a", 5})},
      {"model.merges[1]: is neither", set("/model/merges/1", Json::object())},
      {"added_tokens: is not a list", set("/added_tokens", "x")},
      {"added_tokens[2]: is not an object", set("/added_tokens/2", 1)},
      {"added_tokens[2].content", set("/added_tokens/2/content", "")},
      {"added_tokens[2].content", set("/added_tokens/2/content", std::string(257, 'x'))},
      {"added_tokens[2].id", set("/added_tokens/2/id", -1)},
      {"added_tokens[2].id", set("/added_tokens/2/id", 1e18)},
      {"added_tokens[2].id", set("/added_tokens/2/id", 4194304)},
      {"added_tokens[2]: has a flag", set("/added_tokens/2/special", 1)},
      {"added_tokens[2]: has id 5, which is another", set("/added_tokens/2/id", 5)},
      {"added_tokens[2]: has id 400, but in model.vocab", set("/added_tokens/2/content", "hello")},
      {"added_tokens[3]: has the id of added_tokens[2]", set("/added_tokens/3/id", 400)},
      {"appears twice", set("/added_tokens/3/content", "<user>")},
      {"pretokenizers[0].pattern: bad regular expression", set(kRule, "(")},
      {"pretokenizers[0].pattern: bad regular expression", set(kRule, "\\p{Klingon}")},
      {"pretokenizers[0].pattern: bad regular expression", set(kRule, "((((a{1000}){1000}){1000}){1000})")},
      {"pretokenizers[0].pattern: the pattern is empty", set(kRule, "")},
      {"pretokenizers[0].pattern: the pattern is too long", set(kRule, std::string(100000, 'x'))},
      {"has 18 rules",
       [](Json& j) {
         auto& list = j["pre_tokenizer"]["pretokenizers"];
         for (int i = 0; i < 16; ++i) list.insert(list.begin(), Json(list[0]));
       }},
  };
  for (const Mutation& m : mutations) {
    Json json = test::small_tokenizer_json();
    m.make(json);
    expect_refused(json.dump(), m.expected);
  }
}

TEST(TokenizerFile, RefusesBadDocuments) {
  const std::string good = test::small_tokenizer_json().dump();
  for (size_t length = 0; length < good.size(); length += 1 + good.size() / 300)
    expect_refused(good.substr(0, length), "JSON");
  expect_refused("[]", "is not a JSON object");
  expect_refused("3", "is not a JSON object");
  expect_refused(R"({"model": [{"vocab": {}}]})", "model");
  expect_refused(R"({"model": {"type": "BPE"}, "model": {}})", "twice");
  expect_refused(R"({"model": {"type": "Unigram", "vocab": [["a", -1.5]]}})", "model.type: \"Unigram\"");
  const auto insert = [&](const std::string& before, const std::string& text) {
    std::string json = good;
    return json.insert(json.find(before), text);
  };
  expect_refused(insert("\"vocab\"", R"("vocab": {},)"), "twice");
  expect_refused(insert("\"merges\"", R"("merges": [],)"), "twice");
  expect_refused(insert("\"a\":", R"("a": 301,)"), "the token \"a\" appears twice");
  expect_refused(insert("\"<s>\":", R"("<s>": 301,)"), "twice");
  expect_refused(insert("\"a\":", "\"\xC3\": 301,"), "JSON");
  expect_refused(std::string(5000, '['), "nested");
}

TEST(TokenizerFile, RefusesBadConfigurations) {
  const std::string good = test::small_tokenizer_json().dump();
  expect_refused(good, "bos_token: is neither", R"({"bos_token": 1})");
  expect_refused(good, "eos_token: is neither", R"({"eos_token": {"content": null}})");
  expect_refused(good, "pad_token: tokenizer.json has no token \"<pad>\"", R"({"pad_token": "<pad>"})");
  expect_refused(good, "add_bos_token: is not", R"({"add_bos_token": 1})");
  expect_refused(good, "add_bos_token: is true", R"({"add_bos_token": true})");
  expect_refused(good, "not valid JSON", "{");
  expect_refused(good, "is not a JSON object", "[]");
}

TEST(TokenizerFile, RunawayRulesEndInAnError) {
  Json json = test::small_tokenizer_json();
  json[Json::json_pointer(kRule)] = "(?:a+)+[xy]";
  const auto hostile = Tokenizer::load_text(json.dump(), "", "DIR/tokenizer.json").value();
  try {
    hostile.encode(std::string(64, 'a') + "c", Special::plain);
    FAIL() << "no error";
  } catch (const Exception& e) {
    EXPECT_THAT(e.what(), HasSubstr("pretokenizers[0].pattern: the expression runs away"));
  }
  EXPECT_FALSE(hostile.encode("c", Special::plain).empty());
}

TEST(TokenizerFile, RulesThatMatchNothingStillEnd) {
  for (const char* rule : {"a*", "", "(?=a)", "\\b", "^", "(?<=a)", "a*?", "|a"}) {
    Json json = test::small_tokenizer_json();
    if (*rule != '\0') json[Json::json_pointer(kRule)] = rule;
    const auto t = Tokenizer::load_text(json.dump(), "", "small").value();
    const std::string text = "xaay\u00E9 aa\n\u4E2Da";
    EXPECT_EQ(t.decode(t.encode(text, Special::plain)), text) << rule;
  }
}

TEST(TokenizerLoad, NamesWhatIsMissing) {
  const test::TemporaryDirectory directory;
  const auto line = [&] { return Tokenizer::load(directory.path()).error().line(); };
  EXPECT_THAT(line(), HasSubstr("tokenizer.json: is missing"));
  EXPECT_THAT(Tokenizer::load(directory / "none").error().line(), HasSubstr("no such directory"));
  ASSERT_TRUE(write_file(directory / "tiktoken.model", "IQ== 0\n"));
  EXPECT_THAT(line(), HasSubstr("tiktoken.model"));
  EXPECT_THAT(line(), HasSubstr("--ids"));
  ASSERT_TRUE(write_file(directory / "tokenizer.json", test::small_tokenizer_json().dump()));
  EXPECT_EQ(Tokenizer::load(directory.path())->bos_id(), std::nullopt);
  ASSERT_TRUE(write_file(directory / "tokenizer_config.json", R"({"bos_token": "<s>"})"));
  EXPECT_EQ(Tokenizer::load(directory.path())->bos_id(), test::kSmallBegin);
  ASSERT_TRUE(write_file(directory / "tokenizer_config.json", "{"));
  EXPECT_THAT(line(), HasSubstr("tokenizer_config.json: "));
}

}  // namespace
}  // namespace fathom::text
