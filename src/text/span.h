// A range of bytes of a text, and texts that know which ranges may hold special tokens.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fathom::text {

// Bytes [begin, end).
struct Span {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Span&) const = default;
};

// A prompt and the ranges that a template of ours wrote: special tokens are matched only inside `spans`
// (ascending, disjoint, not empty), everything else came from the client and is plain text whatever it
// spells.
struct Rendered {
  std::string text;
  std::vector<Span> spans;

  void add_template(std::string_view piece) {
    if (piece.empty()) return;
    const size_t begin = text.size();
    text += piece;
    if (!spans.empty() && spans.back().end == begin) {
      spans.back().end = text.size();
    } else {
      spans.push_back({begin, text.size()});
    }
  }
  void add_content(std::string_view piece) { text += piece; }
  void add(const Rendered& other) {
    size_t at = 0;
    for (const Span& span : other.spans) {
      add_content(std::string_view(other.text).substr(at, span.begin - at));
      add_template(std::string_view(other.text).substr(span.begin, span.end - span.begin));
      at = span.end;
    }
    add_content(std::string_view(other.text).substr(at));
  }
  // Cuts the text to its first `length` bytes. REQUIRES: length <= text.size().
  void truncate(size_t length) {
    text.resize(length);
    while (!spans.empty() && spans.back().begin >= length) spans.pop_back();
    if (!spans.empty() && spans.back().end > length) spans.back().end = length;
  }
};

}  // namespace fathom::text
