// Regular expressions of JSON Schema (ECMA-262, the `pattern` keyword) as automata.
#pragma once

#include <string_view>

#include "base/error.h"
#include "text/grammar_code_dfa.h"

namespace fathom::text {

// The strings in which `pattern` is found, anywhere unless it is anchored by ^ and $. '.', classes, groups,
// alternatives and counted repeats are read with the meaning of the `u` flag, lazy repeats as greedy ones.
// The Error tells what is not supported (lookaround, back references, \b, \p{...}) or wrong, or that the
// automaton grows too large; its key is "pattern". Time and memory are bounded by `budget` and the limits of
// CodeDfa. `pattern` is valid UTF-8. Pure; any thread.
Result<CodeDfa> regex_dfa(std::string_view pattern, WorkBudget& budget);

// A regular expression as a tree, made by parse_regex.
struct RegexTree {
  enum class Kind : uint8_t { kEmpty, kSet, kSequence, kChoice, kRepeat, kBegin, kEnd };
  struct Range {
    uint32_t lo, hi;
  };
  struct Node {
    Kind kind;
    std::vector<uint32_t> parts;  // nodes
    std::vector<Range> set;       // kSet: ascending, disjoint, without surrogates
    int64_t min = 0, max = 0;     // kRepeat; max < 0: no limit
  };
  std::vector<Node> nodes;
  uint32_t root = 0;
};
Result<RegexTree> parse_regex(std::string_view pattern);

}  // namespace fathom::text
