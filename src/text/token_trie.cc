#include "text/token_trie.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "text/tokenizer.h"

namespace fathom::text {
namespace {

constexpr size_t kLongest = 255;  // of a token in bytes; longer ones are never offered

bool needed_by_json(int byte) {
  const bool ascii = byte == '\n' || (byte >= 0x20 && byte < 0x7f);
  return ascii || (byte >= 0x80 && byte <= 0xbf) || (byte >= 0xc2 && byte <= 0xf4);
}

}  // namespace

Result<TokenTrie> TokenTrie::build(const Tokenizer& tokenizer) {
  TokenTrie trie;
  trie.ids_ = tokenizer.vocab_size();
  std::vector<std::pair<std::string_view, int32_t>> sorted;
  std::array<bool, 256> alone{};
  for (int32_t id = 0; id < trie.ids_; ++id) {
    if (!tokenizer.has_token(id)) continue;
    if (tokenizer.is_added(id)) {
      trie.added_.push_back(id);
      continue;
    }
    const std::string_view bytes = tokenizer.token_bytes(id);
    if (bytes.empty() || bytes.size() > kLongest) continue;
    if (bytes.size() == 1) alone[static_cast<uint8_t>(bytes[0])] = true;
    sorted.emplace_back(bytes, id);
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (alone[static_cast<size_t>(byte)] || !needed_by_json(byte)) continue;
    return Error{"tokenizer", "byte " + std::to_string(byte),
                 "has no token of its own, so output cannot be held to JSON or a schema",
                 "ask for text without tool_choice, strict tools or response_format"};
  }
  std::sort(sorted.begin(), sorted.end());
  std::array<uint32_t, kLongest> open{};  // nodes on the way to the last token
  size_t depth = 0;
  std::string_view last;
  const auto close = [&](size_t to) {
    while (depth > to) trie.ends_[open[--depth]] = trie.size();
  };
  for (const auto& [bytes, id] : sorted) {
    const size_t common = static_cast<size_t>(
        std::mismatch(last.begin(), last.end(), bytes.begin(), bytes.end()).first - last.begin());
    close(common);
    for (; depth < bytes.size(); ++depth) {
      open[depth] = trie.size();
      trie.bytes_.push_back(static_cast<uint8_t>(bytes[depth]));
      trie.depths_.push_back(static_cast<uint8_t>(depth + 1));
      trie.tokens_.push_back(-1);
      trie.ends_.push_back(0);
    }
    trie.tokens_[open[depth - 1]] = id;
    trie.longest_ = std::max(trie.longest_, static_cast<uint32_t>(bytes.size()));
    last = bytes;
  }
  close(0);
  return trie;
}

}  // namespace fathom::text
