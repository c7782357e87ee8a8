// Compiled restrictions of answers, kept for requests that ask for the same again.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "infer/token_bits.h"
#include "text/constraint.h"

namespace fathom::server {

// Any thread. Holds the few that were used last.
class Grammars {
 public:
  static constexpr size_t kMost = 64;

  // `vocab`: ids of the model. The tokenizer outlives it.
  Grammars(const text::Tokenizer& tokenizer, std::vector<int32_t> eos, int64_t vocab);

  // Throws Refusal 400 naming the field and the keyword that is not supported.
  std::shared_ptr<const text::CompiledConstraint> compiled(const text::ConstraintSpec& spec);
  // The state of one answer.
  std::shared_ptr<infer::TokenConstraint> start(
      std::shared_ptr<const text::CompiledConstraint> compiled) const;

 private:
  using Compiled = std::shared_ptr<const text::CompiledConstraint>;
  std::shared_ptr<const text::TokenTrie> trie();

  const text::Tokenizer& tokenizer_;
  std::vector<int32_t> eos_;
  int64_t vocab_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const text::TokenTrie> trie_;
  std::list<std::pair<std::string, Compiled>> recent_;  // the last used first
};

}  // namespace fathom::server
