#include "text/byte_level.h"

#include <array>

#include "base/utf8.h"

namespace fathom::text {
namespace {

struct Alphabet {
  std::array<char32_t, 256> symbol;
  std::array<int16_t, 324> byte;  // by code point; -1: none

  constexpr Alphabet() : symbol(), byte() {
    byte.fill(-1);
    char32_t next = 256;
    for (int b = 0; b < 256; ++b) {
      const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      const char32_t cp = printable ? static_cast<char32_t>(b) : next++;
      symbol[static_cast<size_t>(b)] = cp;
      byte[cp] = static_cast<int16_t>(b);
    }
  }
};
constexpr Alphabet kAlphabet;

}  // namespace

bool append_bytes(std::string_view token, std::string& out) {
  const size_t before = out.size();
  for (size_t i = 0; i < token.size();) {
    char32_t cp = static_cast<uint8_t>(token[i]);
    size_t length = 1;
    if (cp >= 0x80) {
      const utf8::Decoded d = utf8::decode(token, i);
      cp = d.code_point;
      length = d.length;
    }
    const int byte = cp < kAlphabet.byte.size() ? kAlphabet.byte[cp] : -1;
    if (byte < 0) {
      out.resize(before);
      return false;
    }
    out += static_cast<char>(byte);
    i += length;
  }
  return true;
}

std::string byte_symbols(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) utf8::append(out, kAlphabet.symbol[static_cast<uint8_t>(c)]);
  return out;
}

}  // namespace fathom::text
