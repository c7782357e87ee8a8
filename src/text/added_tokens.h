// Finds the names of added tokens in a text: leftmost first, the longest of those that begin at one place.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fathom::text {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool special = false;
  bool normalized = false;  // with this family's empty normalizer it only decides who is matched first
};

// Immutable after construction.
class AddedTokenMatcher {
 public:
  struct Match {
    size_t begin, end;
    int32_t id;  // -1: nothing found, begin = end = size of the text
  };

  AddedTokenMatcher() = default;
  // REQUIRES: no empty and no repeated content.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  // The first match in text[from, to); no byte outside the range is read. Time: the range, times the length
  // of the longest name in the worst case.
  Match find(std::string_view text, size_t from, size_t to) const;

  const AddedToken* by_content(std::string_view content) const;
  bool empty() const { return tokens_.empty(); }

 private:
  const AddedToken* longest_at(std::string_view rest) const;

  std::vector<AddedToken> tokens_;  // sorted by content
  std::array<bool, 256> first_bytes_{};
};

}  // namespace fathom::text
