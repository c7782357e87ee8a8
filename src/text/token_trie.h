// The tokens of a vocabulary that stand for bytes, arranged by their first bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace fathom::text {

class Tokenizer;

// Nodes in preorder: the children of a node follow it, each with its own subtree. Node i stands for the bytes
// on the way to it. Immutable; any thread.
class TokenTrie {
 public:
  // All tokens of `tokenizer` but added ones. An Error if some byte that JSON may need is no token by itself:
  // a grammar could then come to a state that no token leads on from.
  static Result<TokenTrie> build(const Tokenizer& tokenizer);

  uint32_t size() const { return static_cast<uint32_t>(bytes_.size()); }
  uint8_t byte(uint32_t node) const { return bytes_[node]; }
  uint8_t depth(uint32_t node) const { return depths_[node]; }       // bytes on the way, at least 1
  int32_t token(uint32_t node) const { return tokens_[node]; }       // -1: none ends here
  uint32_t subtree_end(uint32_t node) const { return ends_[node]; }  // first node behind the subtree
  uint32_t longest() const { return longest_; }                      // bytes of the longest token
  int32_t ids() const { return ids_; }                               // largest id, added tokens too, plus one
  std::span<const int32_t> added() const { return added_; }          // ids of added tokens, ascending

 private:
  std::vector<uint8_t> bytes_, depths_;
  std::vector<int32_t> tokens_;
  std::vector<uint32_t> ends_;
  std::vector<int32_t> added_;
  uint32_t longest_ = 0;
  int32_t ids_ = 0;
};

}  // namespace fathom::text
