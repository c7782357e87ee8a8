// Finds stop strings in text that arrives in pieces, and holds back what may become one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fathom::infer {

// Text of one or more tokens. `special`: the whole text of one added token.
struct TextPiece {
  std::string text;
  bool special = false;
  bool operator==(const TextPiece&) const = default;
};

// One object serves one answer. Pieces joined are what went in, up to the first stop string.
class StopFilter {
 public:
  // Empty strings are ignored.
  explicit StopFilter(std::vector<std::string> stops);

  // Takes the next piece and appends to `out` what can no longer be part of a stop string. Returns whether a
  // stop string is now complete: the one that begins first, and the text before it has been given out.
  bool feed(const TextPiece& piece, std::vector<TextPiece>& out);
  // The answer ended without a stop string: gives out the rest.
  void finish(std::vector<TextPiece>& out);

  // The stop string that feed() found.
  const std::string& found() const { return found_; }
  bool active() const { return !stops_.empty(); }

 private:
  void release(size_t bytes, std::vector<TextPiece>& out);

  std::vector<std::string> stops_;
  size_t longest_ = 0;
  std::string held_, found_;
  struct Border {
    size_t end;  // in held_
    bool special;
  };
  std::vector<Border> borders_;
};

}  // namespace fathom::infer
