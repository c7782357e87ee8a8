#include "text/added_tokens.h"

#include <algorithm>

namespace fathom::text {

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end(),
            [](const auto& a, const auto& b) { return a.content < b.content; });
  for (const AddedToken& t : tokens_) first_bytes_[static_cast<uint8_t>(t.content.front())] = true;
}

const AddedToken* AddedTokenMatcher::longest_at(std::string_view rest) const {
  // [low, high) are the tokens that begin with the bytes read so far; a token that is exactly those sorts
  // first.
  auto low = tokens_.begin(), high = tokens_.end();
  const AddedToken* longest = nullptr;
  for (size_t depth = 0; low != high; ++depth) {
    if (low->content.size() == depth) {
      longest = &*low++;
      if (low == high) break;
    }
    if (depth == rest.size()) break;
    const auto byte_of = [depth](const AddedToken& t) { return static_cast<uint8_t>(t.content[depth]); };
    const auto byte = static_cast<uint8_t>(rest[depth]);
    if (byte_of(*low) == byte && byte_of(*(high - 1)) == byte) continue;
    low = std::lower_bound(low, high, byte, [&](const AddedToken& t, uint8_t b) { return byte_of(t) < b; });
    high = std::upper_bound(low, high, byte, [&](uint8_t b, const AddedToken& t) { return b < byte_of(t); });
  }
  return longest;
}

AddedTokenMatcher::Match AddedTokenMatcher::find(std::string_view text, size_t from, size_t to) const {
  for (size_t i = from; i < to; ++i) {
    if (!first_bytes_[static_cast<uint8_t>(text[i])]) continue;
    if (const AddedToken* t = longest_at(text.substr(i, to - i))) return {i, i + t->content.size(), t->id};
  }
  return {text.size(), text.size(), -1};
}

const AddedToken* AddedTokenMatcher::by_content(std::string_view content) const {
  const auto found = std::lower_bound(tokens_.begin(), tokens_.end(), content,
                                      [](const AddedToken& t, std::string_view c) { return t.content < c; });
  return found != tokens_.end() && found->content == content ? &*found : nullptr;
}

}  // namespace fathom::text
