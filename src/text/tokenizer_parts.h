// The small parts of a tokenizer.json: added tokens, normalizer, pre-tokenizer, decoder and the options of
// its model.
#pragma once

#include <string>

#include "base/json.h"
#include "text/tokenizer_file.h"

namespace fathom::text {

// Checks `root` (a tokenizer.json without model.vocab and model.merges) and stores what it says in `file`.
Status read_tokenizer_parts(const Json& root, const std::string& where, TokenizerFile& file);

}  // namespace fathom::text
