#include "base/error.h"

#include "base/utf8.h"

namespace fathom {

std::string quotable(const std::string& text, size_t limit) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const utf8::Decoded d = utf8::decode(text, i);
    if (!d.valid || d.code_point < 0x20 || d.code_point == 0x7f) {
      if (out.size() + 1 > limit) break;
      out += '?';
    } else {
      if (out.size() + d.length > limit) break;
      out.append(text, i, d.length);
    }
    i += d.length;
  }
  return out;
}

std::string Error::line() const {
  std::string out;
  if (!where.empty()) out += quotable(where, 120) + ": ";
  if (!key.empty()) out += quotable(key, 100) + ": ";
  out += problem;
  if (!remedy.empty()) out += "; " + remedy;
  return quotable(out, 390);
}

}  // namespace fathom
