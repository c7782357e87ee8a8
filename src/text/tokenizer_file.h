// What a tokenizer.json says, read and checked but not yet made into tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/added_tokens.h"

namespace fathom::text {

constexpr size_t kMaxVocabulary = size_t{1} << 22;  // ids and entries; the family has 2^17
constexpr size_t kMaxMerges = size_t{1} << 23;
constexpr size_t kMaxAddedBytes = 256;  // length of an added token's name
constexpr const char* kTokenizerRemedy = "restore the tokenizer.json published with the model";

struct TokenizerFile {
  struct Entry {
    uint32_t offset, length;  // in `strings`, spelt as in the file
    int32_t id;
  };
  struct Merge {
    uint32_t offset, left, right;  // `left` bytes at `offset`, `right` bytes after them
  };

  std::string strings;
  std::vector<Entry> vocabulary;
  std::vector<Merge> merges;  // by rank
  std::vector<AddedToken> added;
  std::vector<std::string> rules;      // regular expressions of the pre-tokenizer
  std::vector<std::string> rule_keys;  // where in the file each stands
  bool ignore_merges = false;          // a piece that is a token is that token, whatever the merges give
  bool adds_bos = false;               // the post-processor is one that adds special tokens

  std::string_view text_of(const Entry& e) const {
    return std::string_view(strings).substr(e.offset, e.length);
  }
};

// Parses a whole tokenizer.json. Refuses what this program would encode differently from Hugging Face
// `tokenizers`. Truncation and padding are ignored, as every caller of a model ignores them.
Result<TokenizerFile> read_tokenizer_file(std::string_view json, const std::string& where);

}  // namespace fathom::text
