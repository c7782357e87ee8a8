// Which tokens of a vocabulary may follow where a grammar stands.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "text/grammar_matcher.h"
#include "text/token_trie.h"

namespace fathom::text {

// What a state of a grammar permits by itself, remembered for states that permit a large part of a
// vocabulary: those inside of strings. Shared by all requests with the grammar; any thread.
class TokenMaskCache {
 public:
  static constexpr size_t kMaxEntries = 1024;

  struct Entry {
    std::vector<uint64_t> bits;  // tokens that may follow
    std::vector<uint32_t>
        escapes;       // trie nodes on the way to which the rule has ended, with further tokens below
    uint32_t reached;  // calls that were opened on the way, with what they need to end
  };

  TokenMaskCache(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie);

  const Grammar& grammar() const { return *grammar_; }
  const std::shared_ptr<const Grammar>& shared_grammar() const { return grammar_; }
  const TokenTrie& trie() const { return *trie_; }

  // The entry for a state; nullptr: none yet.
  const Entry* find(uint32_t state) const;
  // Remembers it, if there is room; the first one given for a state stays.
  void add(uint32_t state, Entry entry);
  // The state whose entry serves this one.
  uint32_t representative(uint32_t state) const {
    return trie_->longest() <= Grammar::kLikeBytes ? grammar_->states[state].like : state;
  }

 private:
  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTrie> trie_;
  mutable std::mutex mutex_;
  std::unordered_map<uint32_t, std::unique_ptr<const Entry>> entries_;
};

// Computes masks for one matcher after the other. One thread at a time.
class TokenMask {
 public:
  explicit TokenMask(std::shared_ptr<TokenMaskCache> cache);

  // Sets the bits (bit t % 64 of word t / 64) of the tokens that `matcher` accepts next and clears all
  // others. Special tokens only by edges of their own; the end of the text is the caller's. REQUIRES: the
  // matcher's grammar is the cache's; bits.size() * 64 >= trie().ids().
  void compute(GrammarMatcher& matcher, std::span<uint64_t> bits);

  // Fills the cache for the states that permit most, up to a few, so that no request waits for it.
  void prepare();

 private:
  using Set = GrammarStacks::Set;
  // The stacks after some bytes of a token: those of `set`, or just one, which lies behind `set`.
  struct Level {
    Set set;
    uint32_t state, frame;  // state kNone: `set`
  };
  void add_top(GrammarMatcher& matcher, GrammarStacks::Top top, const Set& behind, std::span<uint64_t> bits);
  static Level level_of(const GrammarStacks& stacks, const Set& set);
  bool advance(GrammarStacks& stacks, const Level& from, uint8_t byte, Level& to) const;
  const TokenMaskCache::Entry* local(uint32_t state, uint32_t depth);
  // Visits the trie's nodes from `begin` to `end`, siblings with their subtrees, which `set` leads to.
  // Calls found(node, popped) for each that may be reached; popped: the rule below frame 0 may end there.
  template <class Found>
  void walk(GrammarStacks& stacks, const Set& set, uint32_t begin, uint32_t end, Found&& found);

  std::shared_ptr<TokenMaskCache> cache_;
  GrammarStacks local_;
  std::vector<Level> levels_;
  uint32_t visited_ = 0;
  std::vector<int32_t> tokens_;    // of the last local walk
  std::vector<uint32_t> escapes_;  // the same
};

}  // namespace fathom::text
