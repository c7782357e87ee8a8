#include "text/grammar_matcher.h"

#include "base/check.h"

namespace fathom::text {
namespace {

constexpr size_t kMostFrames = 4096;  // before those that are not needed are dropped

}  // namespace

GrammarMatcher::GrammarMatcher(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)), stacks_(*grammar_) {
  sets_.reserve(2 * kHistory + 1);
  sets_.push_back(stacks_.enter({0, 0, 1, false}, grammar_->start, 0));
}

bool GrammarMatcher::accept(std::string_view bytes) {
  GrammarStacks::Set set = current();
  if (bytes.empty()) {
    sets_.push_back(stacks_.move_down(set, set.end));
    return true;
  }
  for (const char c : bytes) {
    set = stacks_.step(set, static_cast<uint8_t>(c));
    if (set.empty()) return false;
  }
  return push(set);
}

bool GrammarMatcher::accept_token(int32_t token, bool any) {
  const auto set = stacks_.step_token(current(), token, any);
  return !set.empty() && push(set);
}

bool GrammarMatcher::push(const GrammarStacks::Set& set) {
  sets_.push_back(stacks_.move_down(set, current().end));
  const bool many = stacks_.frame_count() > kMostFrames;
  if (sets_.size() > 2 * kHistory || (many && sets_.size() > kHistory + 1)) {
    sets_.erase(sets_.begin(), sets_.end() - (kHistory + 1));
    stacks_.compact(sets_);
  }
  return true;
}

void GrammarMatcher::rollback(size_t pieces) {
  FATHOM_CHECK(pieces <= rollback_limit());
  sets_.resize(sets_.size() - pieces);
}

bool GrammarMatcher::unconstrained() const {
  const auto& set = current();
  if (!set.popped) return false;
  for (uint32_t i = 0; i < stacks_.size(set); ++i) {
    const uint32_t state = stacks_.tops(set)[i].state;
    const auto edges = grammar_->bytes_of(state);
    if (grammar_->states[state].any_token && edges.size() == 1 && edges[0].to == state && edges[0].lo == 0 &&
        edges[0].hi == 255)
      return true;
  }
  return false;
}

}  // namespace fathom::text
