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

inline bool has_token(std::span<const uint64_t> bits, int32_t token) {
  return static_cast<size_t>(token) / 64 < bits.size() &&
         (bits[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0;
}

inline std::vector<int32_t> tokens_in(std::span<const uint64_t> bits) {
  std::vector<int32_t> out;
  for (size_t word = 0; word < bits.size(); ++word)
    for (uint64_t rest = bits[word]; rest != 0; rest &= rest - 1)
      out.push_back(static_cast<int32_t>(word * 64) + std::countr_zero(rest));
  return out;
}

// The first token from a random place on; -1: there is none.
inline int32_t any_token(std::span<const uint64_t> bits, Dice& dice) {
  const size_t place = dice.below(bits.size() * 64);
  for (size_t i = 0; i <= bits.size(); ++i) {
    const size_t word = (place / 64 + i) % bits.size();
    const uint64_t rest = i == 0 ? bits[word] & (~uint64_t{0} << (place % 64)) : bits[word];
    if (rest != 0) return static_cast<int32_t>(word * 64) + std::countr_zero(rest);
  }
  return -1;
}

// Picks from `allowed`: any token, or often one of a single byte; from `hurry` on, what tends to end things.
inline int32_t pick(std::span<const uint64_t> allowed, const text::Tokenizer& tokenizer, int32_t eos,
                    Dice& dice, bool hurry) {
  if (has_token(allowed, eos) && (hurry || dice.below(3) == 0)) return eos;
  if (!hurry && dice.below(2) == 0) return any_token(allowed, dice);
  // The letters are those that a pattern of the tests waits for.
  static constexpr const char* kClosing[] = {"<｜tool▁calls▁end｜>", "\"", "}", "]", "0", "b", "c"};
  for (size_t i = 0, from = dice.below(3) == 0 ? dice.below(7) : 0; hurry && i < 7; ++i) {
    const auto id = tokenizer.id_of(kClosing[(from + i) % 7]);
    if (id && has_token(allowed, *id)) return *id;
  }
  std::vector<int32_t> single;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const auto id = tokenizer.id_of({&c, 1});
    if (id && has_token(allowed, *id)) single.push_back(*id);
  }
  return single.empty() ? any_token(allowed, dice) : single[dice.below(single.size())];
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
    if (any_token(allowed, dice) < 0) {
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
