// The tables behind a Tokenizer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/split_rules.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_file.h"

namespace fathom::text {

// Immutable once built.
struct TokenizerTables {
  struct Added {
    std::string bytes;  // what decoding gives
    bool special;
  };

  Bpe bpe;
  SplitRules rules;
  AddedTokenMatcher first_round, second_round;  // those with normalized = false, and the others
  std::vector<Added> added;
  std::vector<int32_t> added_at;  // by id, up to the largest of all: index into `added` or -1
  std::optional<int32_t> bos, eos, pad;
  bool add_bos = false;

  static Result<TokenizerTables> build(TokenizerFile file, const std::string& where);
  // Resolves the names of the configuration; `where` is its source.
  Status configure(const TokenizerConfig& config, const std::string& where);

  std::optional<int32_t> id_of(std::string_view token) const;

 private:
  Status add_tokens(const TokenizerFile& file, const std::string& where);
};

}  // namespace fathom::text
