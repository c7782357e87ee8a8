// Reads a text piece by piece as a grammar allows, with the way back.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "text/grammar_stacks.h"

namespace fathom::text {

// Copying is cheap as long as the grammar is not too ambiguous. One thread at a time.
class GrammarMatcher {
 public:
  // Pieces that can be taken back at least.
  static constexpr size_t kHistory = 64;

  explicit GrammarMatcher(std::shared_ptr<const Grammar> grammar);

  // The next bytes, all or none of them: false and no change where the grammar does not allow them. Nothing
  // is a piece too.
  bool accept(std::string_view bytes);
  // The next special token. `any`: states with Grammar::State::any_token take it whatever it is.
  bool accept_token(int32_t token, bool any);
  // Takes the last `pieces` back. REQUIRES: at most rollback_limit().
  void rollback(size_t pieces);
  size_t rollback_limit() const { return sets_.size() - 1; }

  // The text may end here.
  bool can_end() const { return current().popped; }
  // Nothing restricts what comes next, special tokens included, and the text may end anywhere.
  bool unconstrained() const;

  const Grammar& grammar() const { return *grammar_; }
  // For TokenMask, which may lay further sets behind the current one.
  GrammarStacks& stacks() { return stacks_; }
  const GrammarStacks::Set& current() const { return sets_.back(); }

 private:
  bool push(const GrammarStacks::Set& set);

  std::shared_ptr<const Grammar> grammar_;
  GrammarStacks stacks_;
  std::vector<GrammarStacks::Set> sets_;  // before each piece that is remembered, and now
};

}  // namespace fathom::text
