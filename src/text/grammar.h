// A compiled grammar: what bytes and marker tokens may follow each other, as automata that call each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fathom::text {

// Every rule of the grammar is a deterministic automaton over bytes; besides bytes, its states may call
// another rule (and go on at `back` when that ends) or take one special token. Where several calls are
// possible at once, all are followed (grammar_stacks.h). Immutable once built; from every state the end can
// be reached.
struct Grammar {
  static constexpr uint32_t kNone = ~uint32_t{0};
  // Calls that may be open at once; 63 let JSON nest 64 deep, which is what base/json.h reads.
  static constexpr uint32_t kMaxDepth = 63;
  // `like` holds for tokens of at most this many bytes.
  static constexpr uint32_t kLikeBytes = 128;

  struct ByteEdge {
    uint8_t lo, hi;
    uint32_t to;
  };
  struct CallEdge {
    uint32_t start;
    uint32_t back;  // kNone: the calling rule ends with the called one
  };
  struct TokenEdge {
    int32_t token;
    uint32_t to;
  };
  struct State {
    uint32_t bytes, calls, tokens;  // first edge of each kind; the next state's are the ends
    uint32_t like;                  // a state of the same rule that permits the same next kLikeBytes bytes
    uint8_t height;                 // further calls that must at least be opened before the rule can end
    bool accepts;                   // the rule may end here
    bool any_token;                 // special tokens without an edge of their own leave the state as it is
  };

  std::vector<State> states;  // and one more, which only ends the edges of the last
  std::vector<ByteEdge> bytes;
  std::vector<CallEdge> calls;
  std::vector<TokenEdge> tokens;
  uint32_t start = 0;

  std::span<const ByteEdge> bytes_of(uint32_t s) const {
    return {bytes.data() + states[s].bytes, states[s + 1].bytes - states[s].bytes};
  }
  std::span<const CallEdge> calls_of(uint32_t s) const {
    return {calls.data() + states[s].calls, states[s + 1].calls - states[s].calls};
  }
  std::span<const TokenEdge> tokens_of(uint32_t s) const {
    return {tokens.data() + states[s].tokens, states[s + 1].tokens - states[s].tokens};
  }
  // Where `byte` leads from `s`; kNone if it may not come.
  uint32_t step(uint32_t s, uint8_t byte) const {
    for (const ByteEdge& edge : bytes_of(s)) {
      if (byte < edge.lo) return kNone;  // edges ascend
      if (byte <= edge.hi) return edge.to;
    }
    return kNone;
  }
  // Nothing but its own edges leads on from `s`.
  bool plain(uint32_t s) const { return !states[s].accepts && states[s].calls == states[s + 1].calls; }
};

}  // namespace fathom::text
