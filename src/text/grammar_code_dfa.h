// Deterministic automata over Unicode characters: sets of strings that a schema describes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/grammar_builder.h"

namespace fathom::text {

inline constexpr uint32_t kLastCharacter = 0x10FFFF;

// Surrogates are no characters: no edge covers one.
struct CodeDfa {
  static constexpr size_t kMaxStates = 4096;
  static constexpr size_t kMaxEdges = 100'000;

  struct Edge {
    uint32_t lo, hi, to;
  };
  struct State {
    std::vector<Edge> edges;  // ascending, disjoint
    bool accepts = false;
    uint32_t like = 0;  // a state that accepts the same strings of up to Grammar::kLikeBytes characters
  };
  std::vector<State> states;  // the first is the start; none: no string at all

  bool accepts(const std::vector<uint32_t>& characters) const;
};

// Every function here returns nullopt when kMaxStates, kMaxEdges or the budget is exceeded.

// Strings of `min` to `max` characters; max < 0: no limit.
std::optional<CodeDfa> length_dfa(int64_t min, int64_t max);
// All strings but these.
CodeDfa all_but(const std::vector<std::vector<uint32_t>>& strings);
// Strings in both.
std::optional<CodeDfa> intersection(const CodeDfa& a, const CodeDfa& b, WorkBudget& budget);
// The same strings with fewer states: none that lead nowhere, equal ones merged as far as they are found;
// fills in `like`.
CodeDfa reduced(CodeDfa dfa, WorkBudget& budget);

// The characters of a valid UTF-8 text.
std::vector<uint32_t> characters(std::string_view text);

}  // namespace fathom::text
