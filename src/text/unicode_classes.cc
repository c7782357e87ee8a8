#include "text/unicode_classes.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace fathom::text {
namespace {

enum Class : uint8_t { kLetter, kMark, kNumber, kPunctuation, kSymbol, kFormat };

struct ClassRange {
  char32_t first, last;
  Class is;
};

// What Unicode 15, 15.1 and 16 assigned, and U+180E (a format character since Unicode 6.3).
constexpr ClassRange kRanges[] = {{0x897, 0x897, kMark},
                                  {0xCF3, 0xCF3, kMark},
                                  {0xECE, 0xECE, kMark},
                                  {0x180E, 0x180E, kFormat},
                                  {0x1B4E, 0x1B4F, kPunctuation},
                                  {0x1B7F, 0x1B7F, kPunctuation},
                                  {0x1C89, 0x1C8A, kLetter},
                                  {0x2427, 0x2429, kSymbol},
                                  {0x2FFC, 0x2FFF, kSymbol},
                                  {0x31E4, 0x31E5, kSymbol},
                                  {0x31EF, 0x31EF, kSymbol},
                                  {0xA7CB, 0xA7CD, kLetter},
                                  {0xA7DA, 0xA7DC, kLetter},
                                  {0x105C0, 0x105F3, kLetter},
                                  {0x10D40, 0x10D49, kNumber},
                                  {0x10D4A, 0x10D65, kLetter},
                                  {0x10D69, 0x10D6D, kMark},
                                  {0x10D6E, 0x10D6E, kPunctuation},
                                  {0x10D6F, 0x10D85, kLetter},
                                  {0x10D8E, 0x10D8F, kSymbol},
                                  {0x10EC2, 0x10EC4, kLetter},
                                  {0x10EFC, 0x10EFF, kMark},
                                  {0x1123F, 0x11240, kLetter},
                                  {0x11241, 0x11241, kMark},
                                  {0x11380, 0x11389, kLetter},
                                  {0x1138B, 0x1138B, kLetter},
                                  {0x1138E, 0x1138E, kLetter},
                                  {0x11390, 0x113B5, kLetter},
                                  {0x113B7, 0x113B7, kLetter},
                                  {0x113B8, 0x113C0, kMark},
                                  {0x113C2, 0x113C2, kMark},
                                  {0x113C5, 0x113C5, kMark},
                                  {0x113C7, 0x113CA, kMark},
                                  {0x113CC, 0x113D0, kMark},
                                  {0x113D1, 0x113D1, kLetter},
                                  {0x113D2, 0x113D2, kMark},
                                  {0x113D3, 0x113D3, kLetter},
                                  {0x113D4, 0x113D5, kPunctuation},
                                  {0x113D7, 0x113D8, kPunctuation},
                                  {0x113E1, 0x113E2, kMark},
                                  {0x116D0, 0x116E3, kNumber},
                                  {0x11B00, 0x11B09, kPunctuation},
                                  {0x11BC0, 0x11BE0, kLetter},
                                  {0x11BE1, 0x11BE1, kPunctuation},
                                  {0x11BF0, 0x11BF9, kNumber},
                                  {0x11F00, 0x11F01, kMark},
                                  {0x11F02, 0x11F02, kLetter},
                                  {0x11F03, 0x11F03, kMark},
                                  {0x11F04, 0x11F10, kLetter},
                                  {0x11F12, 0x11F33, kLetter},
                                  {0x11F34, 0x11F3A, kMark},
                                  {0x11F3E, 0x11F42, kMark},
                                  {0x11F43, 0x11F4F, kPunctuation},
                                  {0x11F50, 0x11F59, kNumber},
                                  {0x11F5A, 0x11F5A, kMark},
                                  {0x1342F, 0x1342F, kLetter},
                                  {0x13440, 0x13440, kMark},
                                  {0x13441, 0x13446, kLetter},
                                  {0x13447, 0x13455, kMark},
                                  {0x13460, 0x143FA, kLetter},
                                  {0x16100, 0x1611D, kLetter},
                                  {0x1611E, 0x1612F, kMark},
                                  {0x16130, 0x16139, kNumber},
                                  {0x16D40, 0x16D6C, kLetter},
                                  {0x16D6D, 0x16D6F, kPunctuation},
                                  {0x16D70, 0x16D79, kNumber},
                                  {0x18CFF, 0x18CFF, kLetter},
                                  {0x1B132, 0x1B132, kLetter},
                                  {0x1B155, 0x1B155, kLetter},
                                  {0x1CC00, 0x1CCEF, kSymbol},
                                  {0x1CCF0, 0x1CCF9, kNumber},
                                  {0x1CD00, 0x1CEB3, kSymbol},
                                  {0x1D2C0, 0x1D2D3, kNumber},
                                  {0x1DF25, 0x1DF2A, kLetter},
                                  {0x1E030, 0x1E06D, kLetter},
                                  {0x1E08F, 0x1E08F, kMark},
                                  {0x1E4D0, 0x1E4EB, kLetter},
                                  {0x1E4EC, 0x1E4EF, kMark},
                                  {0x1E4F0, 0x1E4F9, kNumber},
                                  {0x1E5D0, 0x1E5ED, kLetter},
                                  {0x1E5EE, 0x1E5EF, kMark},
                                  {0x1E5F0, 0x1E5F0, kLetter},
                                  {0x1E5F1, 0x1E5FA, kNumber},
                                  {0x1E5FF, 0x1E5FF, kPunctuation},
                                  {0x1F6DC, 0x1F6DC, kSymbol},
                                  {0x1F774, 0x1F776, kSymbol},
                                  {0x1F77B, 0x1F77F, kSymbol},
                                  {0x1F7D9, 0x1F7D9, kSymbol},
                                  {0x1F8B2, 0x1F8BB, kSymbol},
                                  {0x1F8C0, 0x1F8C1, kSymbol},
                                  {0x1FA75, 0x1FA77, kSymbol},
                                  {0x1FA87, 0x1FA89, kSymbol},
                                  {0x1FA8F, 0x1FA8F, kSymbol},
                                  {0x1FAAD, 0x1FAAF, kSymbol},
                                  {0x1FABB, 0x1FABF, kSymbol},
                                  {0x1FAC6, 0x1FAC6, kSymbol},
                                  {0x1FACE, 0x1FACF, kSymbol},
                                  {0x1FADA, 0x1FADC, kSymbol},
                                  {0x1FADF, 0x1FADF, kSymbol},
                                  {0x1FAE8, 0x1FAE9, kSymbol},
                                  {0x1FAF7, 0x1FAF8, kSymbol},
                                  {0x1FBCB, 0x1FBEF, kSymbol},
                                  {0x2B739, 0x2B739, kLetter},
                                  {0x2EBF0, 0x2EE5D, kLetter},
                                  {0x31350, 0x323AF, kLetter}};

// Stand-ins of three and of four bytes, assigned long ago and outside every range that rules of this family
// spell out.
constexpr char32_t kThreeBytes[] = {0x1200, 0x1DC0, 0x1369, 0x1361, 0x2600, 0x200B};
constexpr char32_t kFourBytes[] = {0x10000, 0x101FD, 0x10107, 0x10100, 0x1F300, 0xE0001};

constexpr size_t kPages = (std::end(kRanges)[-1].last >> 8) + 1;
// Whether any range touches the 256 code points of a page: most characters are dismissed by this.
constexpr auto kTouched = [] {
  std::array<bool, kPages> touched{};
  for (const ClassRange& r : kRanges)
    for (char32_t page = r.first >> 8; page <= r.last >> 8; ++page) touched[page] = true;
  return touched;
}();

const ClassRange* range_of(char32_t cp) {
  if ((cp >> 8) >= kPages || !kTouched[cp >> 8]) return nullptr;
  const auto* r = std::lower_bound(std::begin(kRanges), std::end(kRanges), cp,
                                   [](const ClassRange& x, char32_t c) { return x.last < c; });
  return r != std::end(kRanges) && r->first <= cp ? r : nullptr;
}

}  // namespace

bool reclassed(std::string_view text, std::string& shown) {
  bool changed = false;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0xE0) {  // below U+0800 nothing differs
      i += lead < 0x80 ? 1 : 2;
      continue;
    }
    const utf8::Decoded d = utf8::decode(text, i);
    if (const ClassRange* r = range_of(d.code_point)) {
      if (!changed) shown = text;
      changed = true;
      std::string stand_in;
      utf8::append(stand_in, d.length == 3 ? kThreeBytes[r->is] : kFourBytes[r->is]);
      shown.replace(i, d.length, stand_in);
    }
    i += d.length;
  }
  return changed;
}

}  // namespace fathom::text
