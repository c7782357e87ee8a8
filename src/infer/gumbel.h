// The noise that makes sampling an argmax: Gumbel values keyed by (seed, position, token).
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "base/rng.h"

namespace fathom::infer {

// Larger than any value gumbel_of() gives: words have 32 bits.
inline constexpr double kLargestGumbel = 22.9;

// Increasing in the word. Natural units.
inline double gumbel_of(uint32_t word) { return -std::log(-std::log(uniform_open(word))); }

// The word of one token. Four tokens share a counter.
inline uint32_t noise_word(uint64_t seed, int64_t position, int64_t token) {
  return philox(seed, static_cast<uint64_t>(token) / 4,
                static_cast<uint64_t>(position))[static_cast<uint64_t>(token) % 4];
}

// Words of the tokens first_token + [0, words.size()), equal to noise_word() of each.
// REQUIRES: first_token and words.size() divisible by 64.
void noise_words(uint64_t seed, int64_t position, int64_t first_token, std::span<uint32_t> words);

// The smallest word, less a margin for rounding, whose Gumbel value can exceed `value`.
uint32_t smallest_word_above(double value);

// A word not above smallest_word_above(value), and so close that about one word in sixty between them can win
// nothing. Much faster.
uint32_t word_bound(double value);

}  // namespace fathom::infer
