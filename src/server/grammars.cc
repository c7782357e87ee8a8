#include "server/grammars.h"

#include <algorithm>

#include "server/errors.h"

namespace fathom::server {
namespace {

class GrammarConstraint : public infer::TokenConstraint {
 public:
  GrammarConstraint(std::shared_ptr<const text::CompiledConstraint> compiled, int64_t vocab)
      : constraint_(std::move(compiled)), bits_(infer::token_words(vocab)) {}

  std::span<const uint64_t> allowed() override {
    if (constraint_.unconstrained()) return {};
    const std::span<const uint64_t> allowed = constraint_.allowed();
    if (allowed.size() >= bits_.size()) return allowed.first(bits_.size());
    // The model has more ids than its tokenizer knows.
    std::ranges::copy(allowed, bits_.begin());
    return bits_;
  }
  void accept(int32_t token) override {
    if (!constraint_.accept(token))
      throw Exception({"request", "constraint", "a token came that the grammar does not allow",
                       "this is a bug of the program"});
  }

 private:
  text::Constraint constraint_;
  infer::TokenBits bits_;
};

Refusal unsupported(const Error& e) {
  std::string field = e.where;
  std::string message = field + ": " + (e.key.empty() ? "" : e.key + ": ") + e.problem;
  if (!e.remedy.empty()) message += "; " + e.remedy;
  return {400, quotable(message, 390), quotable(field, 120), "unsupported_schema"};
}

}  // namespace

Grammars::Grammars(const text::Tokenizer& tokenizer, std::vector<int32_t> eos, int64_t vocab)
    : tokenizer_(tokenizer), eos_(std::move(eos)), vocab_(vocab) {}

std::shared_ptr<const text::TokenTrie> Grammars::trie() {
  const std::lock_guard lock(mutex_);
  if (trie_) return trie_;
  auto built = text::TokenTrie::build(tokenizer_);
  if (!built) throw unsupported(built.error());
  trie_ = std::make_shared<const text::TokenTrie>(*std::move(built));
  return trie_;
}

std::shared_ptr<const text::CompiledConstraint> Grammars::compiled(const text::ConstraintSpec& spec) {
  const std::string key = spec.key();
  {
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(recent_, key, &std::pair<std::string, Compiled>::first);
    if (known != recent_.end()) {
      recent_.splice(recent_.begin(), recent_, known);
      return recent_.front().second;
    }
  }
  auto compiled = text::CompiledConstraint::compile(spec, tokenizer_, trie(), eos_);
  if (!compiled) throw unsupported(compiled.error());
  const std::lock_guard lock(mutex_);
  recent_.emplace_front(key, *compiled);
  if (recent_.size() > kMost) recent_.pop_back();
  return *compiled;
}

std::shared_ptr<infer::TokenConstraint> Grammars::start(
    std::shared_ptr<const text::CompiledConstraint> compiled) const {
  return std::make_shared<GrammarConstraint>(std::move(compiled), vocab_);
}

}  // namespace fathom::server
