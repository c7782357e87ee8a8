// Makes the regular expression library see characters as Unicode 16 classes them, whatever version it knows
// itself.
#pragma once

#include <string>
#include <string_view>

namespace fathom::text {

// The rules of a tokenizer ask for letters, marks, numbers, punctuation, symbols and white space. The
// published ids come from an engine with Unicode 16; PCRE2 10.42 has Unicode 14 and takes U+180E for white
// space. Where `text` holds characters the two class differently, the result is true and `shown` is `text`
// with each of them replaced by one of the same class and the same number of bytes, so that offsets hold.
// False: show `text` itself. REQUIRES: valid UTF-8. A rule that names one of those characters itself would
// not see it.
bool reclassed(std::string_view text, std::string& shown);

}  // namespace fathom::text
