#include "text/grammar_builder.h"

#include <unordered_map>
#include <utility>

#include "text/grammar_sweep.h"

namespace fathom::text {

GrammarBuilder::Rule GrammarBuilder::add_rule() {
  const Node start = add_node();
  rules_.push_back({start, add_node()});
  return static_cast<Rule>(rules_.size() - 1);
}

GrammarBuilder::Node GrammarBuilder::add_node() {
  if (!full()) nodes_.emplace_back();
  return static_cast<Node>(nodes_.size() - 1);
}

void GrammarBuilder::literal(Node from, std::string_view text, Node to) {
  if (text.empty()) return epsilon(from, to);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const Node next = i + 1 == text.size() ? to : add_node();
    bytes(from, byte, byte, next);
    from = next;
  }
}

// Makes every rule deterministic. States are numbered and worked through in the same order, so that their
// edges lie one after the other.
class SubsetConstruction {
 public:
  using Node = GrammarBuilder::Node;
  using Rule = GrammarBuilder::Rule;
  using Set = std::vector<Node>;

  SubsetConstruction(const GrammarBuilder& builder, WorkBudget& budget)
      : b_(builder), budget_(budget), first_(builder.nodes_.size() + 1), starts_(builder.rules_.size()) {
    for (const auto& edge : b_.edges_) ++first_[edge.from + 1];
    for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    sorted_.resize(b_.edges_.size());
    std::vector<uint32_t> at(first_.begin(), first_.end() - 1);
    for (const auto& edge : b_.edges_) sorted_[at[edge.from]++] = edge;
    seen_.resize(b_.nodes_.size());
    std::fill(starts_.begin(), starts_.end(), Grammar::kNone);
  }

  // False when the budget or the number of states is exceeded.
  bool run(Rule root, Grammar& out) {
    enter(root);
    for (size_t i = 0; i < queue_.size(); ++i) {
      if (!run_rule(queue_[i])) return false;
    }
    out_.states.push_back(end_state());
    for (auto& call : out_.calls) call.start = starts_[call.start];
    out_.start = starts_[root];
    out = std::move(out_);
    return true;
  }

 private:
  void enter(Rule rule) {
    if (starts_[rule] != Grammar::kNone) return;
    starts_[rule] = Grammar::kNone - 1;
    queue_.push_back(rule);
  }

  Grammar::State end_state() const {
    return {static_cast<uint32_t>(out_.bytes.size()),
            static_cast<uint32_t>(out_.calls.size()),
            static_cast<uint32_t>(out_.tokens.size()),
            Grammar::kNone,
            0,
            false,
            false};
  }

  std::span<const GrammarBuilder::Edge> edges_of(Node node) const {
    return {sorted_.data() + first_[node], first_[node + 1] - first_[node]};
  }

  // All nodes that cost nothing to reach and matter, ascending.
  void close(Set& set, Node end) {
    ++mark_;
    Set out;
    for (size_t i = 0; i < set.size(); ++i) {
      const Node node = set[i];
      if (std::exchange(seen_[node], mark_) == mark_) continue;
      bool matters = node == end || b_.nodes_[node].any_token;
      for (const auto& edge : edges_of(node)) {
        if (edge.kind == GrammarBuilder::Kind::kEpsilon) {
          set.push_back(edge.to);
        } else {
          matters = true;
        }
      }
      budget_.spend(1 + static_cast<int64_t>(edges_of(node).size()));
      if (matters) out.push_back(node);
    }
    std::sort(out.begin(), out.end());
    set = std::move(out);
  }

  uint32_t state_of(Set set, Node end) {
    close(set, end);
    const auto next = base_ + static_cast<uint32_t>(sets_.size());
    const auto [at, inserted] = ids_.try_emplace(std::move(set), next);
    if (inserted) sets_.push_back(&at->first);
    return at->second;
  }

  bool run_rule(Rule rule) {
    const Node end = b_.rules_[rule].end;
    base_ = static_cast<uint32_t>(out_.states.size());
    ids_.clear();
    sets_.clear();
    starts_[rule] = state_of({b_.rules_[rule].start}, end);
    for (size_t i = 0; i < sets_.size(); ++i) {
      if (base_ + i >= GrammarBuilder::kMaxStates || budget_.spent()) return false;
      add_state(*sets_[i], end);
    }
    note_likes();
    return true;
  }

  void add_state(const Set& set, Node end) {
    out_.states.push_back(end_state());
    auto& state = out_.states.back();
    ranges_.clear();
    others_.clear();
    for (const Node node : set) {
      state.accepts = state.accepts || node == end;
      state.any_token = state.any_token || b_.nodes_[node].any_token;
      for (const auto& edge : edges_of(node)) {
        if (edge.kind == GrammarBuilder::Kind::kBytes) {
          ranges_.push_back({edge.lo, edge.hi, edge.to});
        } else if (edge.kind != GrammarBuilder::Kind::kEpsilon) {
          others_.push_back(edge);
        }
      }
    }
    const uint32_t first = state.bytes;
    budget_.spend(sweep(ranges_, [&](uint32_t lo, uint32_t hi, const Set& targets) {
      const uint32_t to = state_of(targets, end);
      auto& edges = out_.bytes;
      if (edges.size() > first && edges.back().to == to && edges.back().hi + 1u == lo) {
        edges.back().hi = static_cast<uint8_t>(hi);
      } else {
        edges.push_back({static_cast<uint8_t>(lo), static_cast<uint8_t>(hi), to});
      }
    }));
    add_others(end);
  }

  // Calls of one rule become one call, and so do edges of one token.
  void add_others(Node end) {
    std::sort(others_.begin(), others_.end(), [](const auto& a, const auto& b) {
      return std::tuple(a.kind, a.label, a.to) < std::tuple(b.kind, b.label, b.to);
    });
    for (size_t i = 0; i < others_.size();) {
      const auto edge = others_[i];
      Set targets;
      for (; i < others_.size() && others_[i].kind == edge.kind && others_[i].label == edge.label; ++i)
        targets.push_back(others_[i].to);
      const uint32_t to = state_of(std::move(targets), end);
      if (edge.kind == GrammarBuilder::Kind::kCall) {
        enter(edge.label);
        out_.calls.push_back({edge.label, to});
      } else {
        out_.tokens.push_back({static_cast<int32_t>(edge.label), to});
      }
    }
  }

  void note_likes() {
    for (size_t i = 0; i < sets_.size(); ++i) {
      auto& state = out_.states[base_ + i];
      state.like = base_ + static_cast<uint32_t>(i);
      if (sets_[i]->size() != 1) continue;
      const Node other = b_.nodes_[sets_[i]->front()].like;
      if (other == Grammar::kNone) continue;
      if (const auto found = ids_.find({other}); found != ids_.end()) state.like = found->second;
    }
  }

  const GrammarBuilder& b_;
  WorkBudget& budget_;
  std::vector<uint32_t> first_;  // by node: its edges in sorted_
  std::vector<GrammarBuilder::Edge> sorted_;
  std::vector<uint32_t> starts_;  // by rule
  std::vector<Rule> queue_;
  std::vector<uint32_t> seen_;
  uint32_t mark_ = 0;
  // Of the rule at hand.
  uint32_t base_ = 0;
  std::unordered_map<Set, uint32_t, SetHash> ids_;
  std::vector<const Set*> sets_;
  std::vector<RangeTo> ranges_;
  std::vector<GrammarBuilder::Edge> others_;
  Grammar out_;
};

std::shared_ptr<const Grammar> GrammarBuilder::build(Rule root, WorkBudget& budget, Failure& failure) const {
  auto grammar = std::make_shared<Grammar>();
  failure = Failure::kTooLarge;
  if (full() || !SubsetConstruction(*this, budget).run(root, *grammar)) return nullptr;
  failure = Failure::kUnsatisfiable;
  if (!prune(*grammar)) return nullptr;
  return grammar;
}

}  // namespace fathom::text
