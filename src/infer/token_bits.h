// Sets of tokens as bits, and what a grammar tells the sampler.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fathom::infer {

// Bit t of word t / 64 is set when token t may come. Empty: every token may.
using TokenBits = std::vector<uint64_t>;

inline size_t token_words(int64_t vocab) { return static_cast<size_t>((vocab + 63) / 64); }
inline bool has_bit(std::span<const uint64_t> bits, int64_t token) {
  return (bits[static_cast<size_t>(token / 64)] >> (token % 64) & 1) != 0;
}

// Restricts what a request may answer, token by token. Used by the engine's thread alone.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;
  // The tokens that may come next, end-of-sequence ids among them where the answer may end. Valid until the
  // next call of accept().
  virtual std::span<const uint64_t> allowed() = 0;
  // The next token; one of allowed(). End-of-sequence ids are not passed on.
  virtual void accept(int32_t token) = 0;
};

}  // namespace fathom::infer
