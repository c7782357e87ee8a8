#include "text/grammar_code_dfa.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "text/grammar_sweep.h"

namespace fathom::text {
namespace {

constexpr uint32_t kSurrogates = 0xD800, kAfterSurrogates = 0xE000;

void add_any(CodeDfa::State& state, uint32_t to) {
  state.edges.push_back({0, kSurrogates - 1, to});
  state.edges.push_back({kAfterSurrogates, kLastCharacter, to});
}

size_t count_edges(const CodeDfa& dfa) {
  size_t count = 0;
  for (const auto& state : dfa.states) count += state.edges.size();
  return count;
}

// Keeps the states from which a string can still be accepted, in their order.
void trim(CodeDfa& dfa) {
  std::vector<std::vector<uint32_t>> from(dfa.states.size());
  std::vector<bool> useful(dfa.states.size());
  std::vector<uint32_t> stack;
  for (uint32_t s = 0; s < dfa.states.size(); ++s) {
    for (const auto& edge : dfa.states[s].edges) from[edge.to].push_back(s);
    if (dfa.states[s].accepts) stack.push_back(s);
  }
  while (!stack.empty()) {
    const uint32_t s = stack.back();
    stack.pop_back();
    if (useful[s]) continue;
    useful[s] = true;
    stack.insert(stack.end(), from[s].begin(), from[s].end());
  }
  if (dfa.states.empty() || !useful[0]) return dfa.states.clear();
  std::vector<uint32_t> renamed(dfa.states.size());
  uint32_t kept = 0;
  for (size_t s = 0; s < useful.size(); ++s)
    if (useful[s]) renamed[s] = kept++;
  CodeDfa out;
  for (size_t s = 0; s < useful.size(); ++s) {
    if (!useful[s]) continue;
    auto& state = out.states.emplace_back(std::move(dfa.states[s]));
    std::erase_if(state.edges, [&](const auto& edge) { return !useful[edge.to]; });
    for (auto& edge : state.edges) edge.to = renamed[edge.to];
  }
  dfa = std::move(out);
}

// Refines the partition of the states by what one more character can tell; returns the number of classes.
uint32_t refine(const CodeDfa& dfa, std::vector<uint32_t>& classes) {
  std::unordered_map<std::vector<uint32_t>, uint32_t, SetHash> ids;
  std::vector<uint32_t> next(classes.size());
  std::vector<uint32_t> signature;
  for (size_t s = 0; s < classes.size(); ++s) {
    signature.assign(1, classes[s]);
    for (const auto& edge : dfa.states[s].edges) {
      const uint32_t to = classes[edge.to];
      if (signature.size() > 1 && signature.back() == to && signature[signature.size() - 2] + 1 == edge.lo) {
        signature[signature.size() - 2] = edge.hi;
      } else {
        signature.insert(signature.end(), {edge.lo, edge.hi, to});
      }
    }
    next[s] = ids.try_emplace(signature, static_cast<uint32_t>(ids.size())).first->second;
  }
  classes = std::move(next);
  return static_cast<uint32_t>(ids.size());
}

}  // namespace

bool CodeDfa::accepts(const std::vector<uint32_t>& text) const {
  if (states.empty()) return false;
  uint32_t s = 0;
  for (const uint32_t c : text) {
    const auto& edges = states[s].edges;
    const auto found =
        std::find_if(edges.begin(), edges.end(), [&](const Edge& e) { return e.lo <= c && c <= e.hi; });
    if (found == edges.end()) return false;
    s = found->to;
  }
  return states[s].accepts;
}

std::vector<uint32_t> characters(std::string_view text) {
  std::vector<uint32_t> out;
  for (size_t at = 0; at < text.size();) {
    const auto decoded = utf8::decode(text, at);
    out.push_back(decoded.code_point);
    at += decoded.length;
  }
  return out;
}

std::optional<CodeDfa> length_dfa(int64_t min, int64_t max) {
  const int64_t last = max < 0 ? min : max;
  if (last >= static_cast<int64_t>(CodeDfa::kMaxStates)) return std::nullopt;
  CodeDfa out;
  if (max >= 0 && min > max) return out;
  for (int64_t i = 0; i <= last; ++i) {
    auto& state = out.states.emplace_back();
    state.accepts = i >= min;
    const int64_t to = i < last ? i + 1 : i;
    if (i < last || max < 0) add_any(state, static_cast<uint32_t>(to));
  }
  return out;
}

CodeDfa all_but(const std::vector<std::vector<uint32_t>>& strings) {
  std::vector<std::map<uint32_t, uint32_t>> children(1);
  std::vector<bool> ends(1);
  for (const auto& string : strings) {
    uint32_t at = 0;
    for (const uint32_t c : string) {
      const auto [child, inserted] = children[at].try_emplace(c, static_cast<uint32_t>(children.size()));
      at = child->second;
      if (inserted) {
        children.emplace_back();
        ends.push_back(false);
      }
    }
    ends[at] = true;
  }
  const auto other = static_cast<uint32_t>(children.size());
  CodeDfa out;
  children.emplace_back();
  ends.push_back(false);
  for (size_t s = 0; s < children.size(); ++s) {
    auto& state = out.states.emplace_back();
    state.accepts = !ends[s];
    std::vector<std::pair<uint32_t, uint32_t>> stops(children[s].begin(), children[s].end());
    uint32_t next = 0;
    const auto fill = [&](uint32_t end) {  // [next, end) leads to `other`, surrogates left out
      const uint32_t low_end = std::min(end, kSurrogates), high = std::max(next, kAfterSurrogates);
      if (next < low_end) state.edges.push_back({next, low_end - 1, other});
      if (high < end) state.edges.push_back({high, end - 1, other});
    };
    for (const auto& [c, child] : stops) {
      fill(c);
      state.edges.push_back({c, c, child});
      next = c + 1;
    }
    fill(kLastCharacter + 1);
  }
  return out;
}

std::optional<CodeDfa> intersection(const CodeDfa& a, const CodeDfa& b, WorkBudget& budget) {
  CodeDfa out;
  if (a.states.empty() || b.states.empty()) return out;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> ids;
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  const auto id_of = [&](uint32_t x, uint32_t y) {
    const auto [at, inserted] = ids.try_emplace({x, y}, static_cast<uint32_t>(pairs.size()));
    if (inserted) pairs.emplace_back(x, y);
    return at->second;
  };
  id_of(0, 0);
  size_t edges = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [x, y] = pairs[i];
    const auto& left = a.states[x].edges;
    const auto& right = b.states[y].edges;
    auto& state = out.states.emplace_back();
    state.accepts = a.states[x].accepts && b.states[y].accepts;
    for (size_t l = 0, r = 0; l < left.size() && r < right.size();) {
      const uint32_t lo = std::max(left[l].lo, right[r].lo), hi = std::min(left[l].hi, right[r].hi);
      if (lo <= hi) state.edges.push_back({lo, hi, id_of(left[l].to, right[r].to)});
      left[l].hi < right[r].hi ? ++l : ++r;
    }
    edges += state.edges.size();
    const auto work = static_cast<int64_t>(left.size() + right.size()) + 1;
    if (!budget.spend(work) || pairs.size() > CodeDfa::kMaxStates || edges > CodeDfa::kMaxEdges)
      return std::nullopt;
  }
  trim(out);
  return out;
}

CodeDfa reduced(CodeDfa dfa, WorkBudget& budget) {
  trim(dfa);
  std::vector<uint32_t> classes(dfa.states.size());
  for (size_t s = 0; s < classes.size(); ++s) classes[s] = dfa.states[s].accepts ? 1 : 0;
  const auto work = static_cast<int64_t>(count_edges(dfa) + dfa.states.size());
  uint32_t count = 0;
  bool stable = false;
  for (uint32_t round = 0; round <= Grammar::kLikeBytes && !stable; ++round) {
    if (!budget.spend(work)) break;
    stable = std::exchange(count, refine(dfa, classes)) == count;
  }
  if (budget.spent()) {
    for (uint32_t s = 0; s < dfa.states.size(); ++s) dfa.states[s].like = s;
    return dfa;
  }
  std::vector<uint32_t> first(count, Grammar::kNone);
  for (uint32_t s = 0; s < classes.size(); ++s) first[classes[s]] = std::min(first[classes[s]], s);
  for (size_t s = 0; s < classes.size(); ++s) dfa.states[s].like = first[classes[s]];
  if (!stable || dfa.states.empty()) return dfa;
  // Classes that no character tells apart are one state.
  std::vector<uint32_t> renamed(dfa.states.size());
  uint32_t kept = 0;
  for (uint32_t s = 0; s < classes.size(); ++s)
    if (dfa.states[s].like == s) renamed[s] = kept++;
  CodeDfa out;
  for (uint32_t s = 0; s < classes.size(); ++s) {
    if (dfa.states[s].like != s) continue;
    CodeDfa::State state;
    state.accepts = dfa.states[s].accepts;
    state.like = static_cast<uint32_t>(out.states.size());
    for (const auto& edge : dfa.states[s].edges) {
      const uint32_t to = renamed[dfa.states[edge.to].like];
      if (!state.edges.empty() && state.edges.back().to == to && state.edges.back().hi + 1 == edge.lo) {
        state.edges.back().hi = edge.hi;
      } else {
        state.edges.push_back({edge.lo, edge.hi, to});
      }
    }
    out.states.push_back(std::move(state));
  }
  return out;
}

}  // namespace fathom::text
