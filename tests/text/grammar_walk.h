// Random answers under a constraint, as a model without sense would give them.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "tests/text/small_tokenizer.h"
#include "text/constraint.h"

namespace fathom::test {

// Random numbers by a seed.
class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}
  size_t below(size_t n) { return philox(seed_, count_++, 7)[0] % n; }

 private:
  uint64_t seed_, count_ = 0;
};

inline std::vector<int32_t> tokens_of(std::span<const uint64_t> bits) {
  std::vector<int32_t> out;
  for (size_t word = 0; word < bits.size(); ++word)
    for (uint64_t rest = bits[word]; rest != 0; rest &= rest - 1)
      out.push_back(static_cast<int32_t>(word * 64) + std::countr_zero(rest));
  return out;
}

inline bool has_token(std::span<const uint64_t> bits, int32_t token) {
  return static_cast<size_t>(token) / 64 < bits.size() &&
         (bits[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0;
}

// Picks from `allowed`: any token; from `hurry` on, what tends to end things.
inline int32_t pick(std::span<const uint64_t> allowed, const text::Tokenizer& tokenizer, int32_t eos,
                    Dice& dice, bool hurry) {
  if (has_token(allowed, eos) && (hurry || dice.below(3) == 0)) return eos;
  const auto tokens = tokens_of(allowed);
  if (!hurry && dice.below(2) == 0) return tokens[dice.below(tokens.size())];
  std::vector<int32_t> single;
  for (const char* closing : {"}", "]", "\"", "0", "e"}) {
    const auto id = tokenizer.id_of(closing);
    if (hurry && id && has_token(allowed, *id) && dice.below(8) != 0) return *id;
  }
  for (const int32_t token : tokens)
    if (tokenizer.token_bytes(token).size() == 1) single.push_back(token);
  return single.empty() ? tokens[dice.below(tokens.size())] : single[dice.below(single.size())];
}

struct Answer {
  std::vector<int32_t> tokens;
  std::string text;
  bool finished = false;
};

inline Answer random_answer(text::Constraint& constraint, const text::Tokenizer& tokenizer, int32_t eos,
                            uint64_t seed, size_t hurry_after = 60, size_t most = 3000) {
  Dice dice(seed);
  Answer out;
  while (!constraint.finished() && out.tokens.size() < most) {
    const auto allowed = constraint.allowed();
    if (tokens_of(allowed).empty()) {
      ADD_FAILURE() << "no token may follow " << out.text;
      return out;
    }
    const int32_t token = pick(allowed, tokenizer, eos, dice, out.tokens.size() >= hurry_after);
    if (!constraint.accept(token)) {
      ADD_FAILURE() << "token " << token << " was allowed after " << out.text;
      return out;
    }
    out.tokens.push_back(token);
    if (token != eos) out.text += tokenizer.token_bytes(token);
  }
  out.finished = constraint.finished();
  return out;
}

}  // namespace fathom::test
