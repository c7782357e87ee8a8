#include <array>

#include "text/grammar_builder.h"

namespace fathom::text {
namespace {

constexpr uint8_t kEndless = 255;  // height of states from which the end cannot be reached

// Heights by a shortest-path search from the ends (Knuth 1977: the cost of an edge never falls below that of
// what it leads to). A call costs the larger of its own height plus one and that of the state it returns to.
class Heights {
 public:
  explicit Heights(const Grammar& grammar) : g_(grammar), size_(grammar.states.size() - 1) {
    heights_.assign(size_, kEndless);
    final_.assign(size_, false);
    index_uses();
  }

  std::vector<uint8_t> run() {
    for (uint32_t s = 0; s < size_; ++s)
      if (g_.states[s].accepts) offer(s, 0);
    for (size_t height = 0; height < buckets_.size(); ++height) {
      for (size_t i = 0; i < buckets_[height].size(); ++i) settle(buckets_[height][i], height);
    }
    return std::move(heights_);
  }

 private:
  struct Use {
    uint32_t state;
    uint32_t call;  // kNone: a byte or token leads here
  };

  template <class Visit>
  void visit_uses(Visit&& visit) const {
    for (uint32_t s = 0; s < size_; ++s) {
      for (const auto& edge : g_.bytes_of(s)) visit(edge.to, Use{s, Grammar::kNone});
      for (const auto& edge : g_.tokens_of(s)) visit(edge.to, Use{s, Grammar::kNone});
      for (uint32_t c = g_.states[s].calls; c < g_.states[s + 1].calls; ++c) {
        visit(g_.calls[c].start, Use{s, c});
        visit(g_.calls[c].back, Use{s, c});
      }
    }
  }

  void index_uses() {
    first_.assign(size_ + 1, 0);
    visit_uses([&](uint32_t to, Use) { ++first_[to + 1]; });
    for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    uses_.resize(first_.back());
    std::vector<uint32_t> at(first_.begin(), first_.end() - 1);
    visit_uses([&](uint32_t to, Use use) { uses_[at[to]++] = use; });
  }

  void offer(uint32_t state, size_t height) {
    if (final_[state] || height >= heights_[state] || height >= buckets_.size()) return;
    heights_[state] = static_cast<uint8_t>(height);
    buckets_[height].push_back(state);
  }

  void settle(uint32_t state, size_t height) {
    if (final_[state] || heights_[state] != height) return;
    final_[state] = true;
    for (uint32_t i = first_[state]; i < first_[state + 1]; ++i) {
      const Use use = uses_[i];
      if (use.call == Grammar::kNone) {
        offer(use.state, height);
        continue;
      }
      const auto& call = g_.calls[use.call];
      if (!final_[call.start] || !final_[call.back]) continue;
      offer(use.state, std::max<size_t>(heights_[call.start] + 1, heights_[call.back]));
    }
  }

  const Grammar& g_;
  size_t size_;
  std::vector<uint8_t> heights_;
  std::vector<bool> final_;
  std::vector<uint32_t> first_;
  std::vector<Use> uses_;
  std::array<std::vector<uint32_t>, Grammar::kMaxDepth + 1> buckets_;
};

// The states that the start leads to through those that have an end, in the order of their numbers.
std::vector<bool> reachable(const Grammar& g, const std::vector<uint8_t>& heights) {
  std::vector<bool> found(heights.size());
  std::vector<uint32_t> stack;
  const auto visit = [&](uint32_t s) {
    if (heights[s] == kEndless || found[s]) return;
    found[s] = true;
    stack.push_back(s);
  };
  visit(g.start);
  while (!stack.empty()) {
    const uint32_t s = stack.back();
    stack.pop_back();
    for (const auto& edge : g.bytes_of(s)) visit(edge.to);
    for (const auto& edge : g.tokens_of(s)) visit(edge.to);
    for (const auto& edge : g.calls_of(s)) {
      if (heights[edge.start] == kEndless || heights[edge.back] == kEndless) continue;
      visit(edge.start);
      visit(edge.back);
    }
  }
  return found;
}

}  // namespace

bool prune(Grammar& g) {
  const auto heights = Heights(g).run();
  const auto keep = reachable(g, heights);
  if (!keep[g.start]) return false;
  std::vector<uint32_t> renamed(keep.size(), Grammar::kNone);
  uint32_t count = 0;
  for (size_t s = 0; s < keep.size(); ++s)
    if (keep[s]) renamed[s] = count++;
  Grammar out;
  out.states.reserve(count + 1);
  for (uint32_t s = 0; s < keep.size(); ++s) {
    if (!keep[s]) continue;
    auto state = g.states[s];
    state.bytes = static_cast<uint32_t>(out.bytes.size());
    state.calls = static_cast<uint32_t>(out.calls.size());
    state.tokens = static_cast<uint32_t>(out.tokens.size());
    state.height = heights[s];
    state.like = keep[state.like] ? renamed[state.like] : renamed[s];
    for (const auto& edge : g.bytes_of(s))
      if (keep[edge.to]) out.bytes.push_back({edge.lo, edge.hi, renamed[edge.to]});
    for (const auto& edge : g.tokens_of(s))
      if (keep[edge.to]) out.tokens.push_back({edge.token, renamed[edge.to]});
    for (const auto& edge : g.calls_of(s)) {
      if (heights[edge.start] == kEndless || heights[edge.back] == kEndless) continue;
      out.calls.push_back({renamed[edge.start], renamed[edge.back]});
    }
    out.states.push_back(state);
  }
  out.states.push_back({static_cast<uint32_t>(out.bytes.size()), static_cast<uint32_t>(out.calls.size()),
                        static_cast<uint32_t>(out.tokens.size()), Grammar::kNone, 0, false, false});
  // A call whose return state does nothing but end needs none.
  const auto only_ends = [&](uint32_t s) {
    return out.states[s].accepts && !out.states[s].any_token && out.bytes_of(s).empty() &&
           out.calls_of(s).empty() && out.tokens_of(s).empty();
  };
  for (auto& call : out.calls)
    if (only_ends(call.back)) call.back = Grammar::kNone;
  out.start = renamed[g.start];
  g = std::move(out);
  return true;
}

}  // namespace fathom::text
