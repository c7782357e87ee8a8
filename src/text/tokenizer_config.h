// What a tokenizer_config.json says about the tokens that begin, end and pad a text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fathom::text {

struct TokenizerConfig {
  std::optional<std::string> bos, eos, pad;
  std::optional<bool> add_bos;
};

// A token is a text or an object with "content"; null and absent are the same.
Result<TokenizerConfig> read_tokenizer_config(std::string_view json, const std::string& where);

}  // namespace fathom::text
