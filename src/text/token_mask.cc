#include "text/token_mask.h"

#include <algorithm>

#include "base/check.h"

namespace fathom::text {
namespace {

constexpr uint32_t kWideWalk = 4096;  // trie nodes, or a quarter of all; what costs more is remembered
constexpr size_t kPrepared = 6;

void set_bit(std::span<uint64_t> bits, int32_t token) {
  bits[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
}

}  // namespace

TokenMaskCache::TokenMaskCache(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie)
    : grammar_(std::move(grammar)), trie_(std::move(trie)) {}

const TokenMaskCache::Entry* TokenMaskCache::find(uint32_t state) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(state);
  return found == entries_.end() ? nullptr : found->second.get();
}

void TokenMaskCache::add(uint32_t state, Entry entry) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() < kMaxEntries)
    entries_.try_emplace(state, std::make_unique<const Entry>(std::move(entry)));
}

TokenMask::TokenMask(std::shared_ptr<TokenMaskCache> cache)
    : cache_(std::move(cache)), local_(cache_->grammar()), levels_(cache_->trie().longest() + 1) {}

TokenMask::Level TokenMask::level_of(const GrammarStacks& stacks, const Set& set) {
  if (stacks.size(set) != 1 || set.popped) return {set, Grammar::kNone, 0};
  const GrammarStacks::Top top = stacks.tops(set)[0];
  return {set, top.state, top.frame};
}

// Most of a vocabulary is walked with a single stack that neither calls nor returns, as inside of strings:
// that needs no sets.
inline bool TokenMask::advance(GrammarStacks& stacks, const Level& from, uint8_t byte, Level& to) const {
  const Grammar& grammar = cache_->grammar();
  if (from.state == Grammar::kNone) {
    to = level_of(stacks, stacks.step(from.set, byte));
    return to.state != Grammar::kNone || !to.set.empty();
  }
  const uint32_t state = grammar.step(from.state, byte);
  if (state == Grammar::kNone || !stacks.fits(stacks.frame(from.frame).depth, state)) return false;
  if (grammar.plain(state)) {
    to = {from.set, state, from.frame};
    return true;
  }
  to = level_of(stacks, stacks.enter(from.set, state, from.frame));
  return to.state != Grammar::kNone || !to.set.empty();
}

template <class Found>
void TokenMask::walk(GrammarStacks& stacks, const Set& set, uint32_t begin, uint32_t end, Found&& found) {
  if (begin == end) return;
  const TokenTrie& trie = cache_->trie();
  const uint32_t above = trie.depth(begin) - 1u;
  levels_[0] = level_of(stacks, set);
  for (uint32_t node = begin; node < end;) {
    ++visited_;
    const uint32_t level = trie.depth(node) - 1u - above;
    Level& next = levels_[level + 1];
    if (!advance(stacks, levels_[level], trie.byte(node), next)) {
      node = trie.subtree_end(node);
      continue;
    }
    const bool single = next.state != Grammar::kNone;
    found(node, !single && next.set.popped);
    const bool more = single || next.set.begin != next.set.end;
    node = more ? node + 1 : trie.subtree_end(node);
  }
}

// What `state` permits while its rule and those it calls last: into tokens_ and escapes_, or from the cache.
const TokenMaskCache::Entry* TokenMask::local(uint32_t state, uint32_t depth) {
  const uint32_t representative = cache_->representative(state);
  const auto* entry = cache_->find(representative);
  if (entry != nullptr && depth + entry->reached <= Grammar::kMaxDepth) return entry;
  tokens_.clear();
  escapes_.clear();
  visited_ = 0;
  local_.set_base_depth(depth);
  local_.reached = depth;
  const TokenTrie& trie = cache_->trie();
  const Set base = local_.only({0, 0, 1, false}, state, 0);
  walk(local_, base, 0, trie.size(), [&](uint32_t node, bool popped) {
    if (trie.token(node) >= 0) tokens_.push_back(trie.token(node));
    if (popped && trie.subtree_end(node) > node + 1) escapes_.push_back(node);
  });
  // Only a walk that the limit of depth did not touch holds at other depths.
  if (visited_ < std::min(kWideWalk, trie.size() / 4) || local_.reached > Grammar::kMaxDepth ||
      entry != nullptr)
    return nullptr;
  TokenMaskCache::Entry made{std::vector<uint64_t>((static_cast<size_t>(trie.ids()) + 63) / 64), escapes_,
                             local_.reached - depth};
  for (const int32_t token : tokens_) set_bit(made.bits, token);
  cache_->add(representative, std::move(made));
  return cache_->find(representative);
}

void TokenMask::add_top(GrammarMatcher& matcher, GrammarStacks::Top top, const Set& behind,
                        std::span<uint64_t> bits) {
  GrammarStacks& stacks = matcher.stacks();
  const auto* entry = local(top.state, stacks.frame(top.frame).depth);
  if (entry != nullptr) {
    for (size_t i = 0; i < entry->bits.size(); ++i) bits[i] |= entry->bits[i];
  } else {
    for (const int32_t token : tokens_) set_bit(bits, token);
  }
  const auto& escapes = entry != nullptr ? entry->escapes : escapes_;
  if (top.frame == 0 || escapes.empty()) return;
  const TokenTrie& trie = cache_->trie();
  const Set after = stacks.leave(behind, top.frame);
  for (const uint32_t node : escapes) {
    walk(stacks, after, node + 1, trie.subtree_end(node), [&](uint32_t below, bool) {
      if (trie.token(below) >= 0) set_bit(bits, trie.token(below));
    });
  }
}

void TokenMask::compute(GrammarMatcher& matcher, std::span<uint64_t> bits) {
  const TokenTrie& trie = cache_->trie();
  FATHOM_CHECK(&matcher.grammar() == &cache_->grammar());
  FATHOM_CHECK(bits.size() * 64 >= static_cast<size_t>(trie.ids()));
  std::fill(bits.begin(), bits.end(), uint64_t{0});
  const Grammar& grammar = cache_->grammar();
  GrammarStacks& stacks = matcher.stacks();
  const Set current = matcher.current();
  for (uint32_t i = 0; i < stacks.size(current); ++i) {
    const GrammarStacks::Top top = stacks.tops(current)[i];
    add_top(matcher, top, current, bits);
    if (grammar.states[top.state].any_token)
      for (const int32_t token : trie.added()) set_bit(bits, token);
    for (const auto& edge : grammar.tokens_of(top.state)) {
      // An edge may be closed by the limit of depth alone, which the matcher knows.
      if (!stacks.step_token(current, edge.token, false).empty()) set_bit(bits, edge.token);
    }
  }
}

void TokenMask::prepare() {
  const Grammar& grammar = cache_->grammar();
  size_t prepared = 0;
  for (uint32_t s = 0; s + 1 < grammar.states.size() && prepared < kPrepared; ++s) {
    if (cache_->representative(s) != s) continue;
    int permitted = 0;
    for (const auto& edge : grammar.bytes_of(s)) permitted += edge.hi - edge.lo + 1;
    if (permitted < 128) continue;
    local(s, 0);
    ++prepared;
  }
}

}  // namespace fathom::text
