// A tokenizer of this family in a few lines: all bytes, a handful of merges, four added tokens. For tests and
// fuzzing.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "text/byte_level.h"

namespace fathom::test {

inline constexpr int32_t kSmallBegin = 0, kSmallEnd = 1, kSmallUser = 400, kSmallUserLong = 401;

// Ids: <s> 0, </s> 1 (special), bytes 2 to 257, merged tokens from 258 on, a gap, <user> 400, <user>s 401.
inline Json small_tokenizer_json(const std::vector<std::pair<std::string, std::string>>& merges) {
  Json vocab = {{"<s>", kSmallBegin}, {"</s>", kSmallEnd}};
  for (int b = 0; b < 256; ++b) vocab[text::byte_symbols(std::string(1, static_cast<char>(b)))] = b + 2;
  Json lines = Json::array();
  int32_t next = 258;
  for (const auto& [left, right] : merges) {
    if (!vocab.contains(text::byte_symbols(left + right))) vocab[text::byte_symbols(left + right)] = next++;
    lines.push_back(text::byte_symbols(left) + " " + text::byte_symbols(right));
  }
  const auto added = [](int32_t id, const char* content, bool special) {
    return Json{{"id", id},        {"content", content}, {"single_word", false},  {"lstrip", false},
                {"rstrip", false}, {"special", special}, {"normalized", !special}};
  };
  const auto split = [](const char* pattern) {
    return Json{
        {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  };
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return {{"version", "1.0"},
          {"added_tokens",
           {added(kSmallBegin, "<s>", true), added(kSmallEnd, "</s>", true),
            added(kSmallUser, "<user>", false), added(kSmallUserLong, "<user>s", false)}},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers",
             {split("\\p{N}{1,3}"),
              split("[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
                    "?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
              byte_level}}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", std::move(vocab)}, {"merges", std::move(lines)}}}};
}

inline Json small_tokenizer_json() {
  return small_tokenizer_json({{"h", "e"},
                               {"l", "l"},
                               {"he", "ll"},
                               {"hell", "o"},
                               {" ", "w"},
                               {"a", "a"},
                               {"aa", "aa"},
                               {" ", " "},
                               {"  ", "  "},
                               {"!", "!"},
                               {"\xC3", "\xA9"},
                               {"o", "r"},
                               {" w", "or"}});
}

}  // namespace fathom::test
