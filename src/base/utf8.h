// UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fathom::utf8 {

struct Decoded {
  char32_t code_point;  // U+FFFD when not valid
  uint8_t length;       // bytes consumed, at least 1
  bool valid;
};

// The character at byte `at`. An invalid sequence yields U+FFFD for its longest prefix that could have begun a
// character (the replacement practice of the Unicode standard, section 3.9).
// REQUIRES: at < text.size().
Decoded decode(std::string_view text, size_t at);

bool valid(std::string_view text);

// `text` with every invalid sequence replaced by U+FFFD.
std::string repaired(std::string_view text);

void append(std::string& out, char32_t code_point);

// Length of the longest prefix of `text` that does not end inside a character which later bytes could complete.
size_t complete_prefix(std::string_view text);

}  // namespace fathom::utf8
