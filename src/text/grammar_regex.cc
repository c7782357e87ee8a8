#include "text/grammar_regex.h"

#include <unordered_map>

#include "text/grammar_sweep.h"

namespace fathom::text {
namespace {

using Kind = RegexTree::Kind;

constexpr size_t kMaxNodes = 20'000;

Error too_large() {
  return {"", "pattern", "describes an automaton that is too large", "simplify the pattern"};
}

// Thompson's construction: a graph with free moves, some of them only at the begin or end of the text.
class Graph {
 public:
  explicit Graph(const RegexTree& tree) : tree_(tree) {
    const uint32_t before = add(), first = add(), last = add();
    start = before;
    accept = last;
    const uint32_t any = any_character();
    nodes[before].edges.push_back({any, before});
    nodes[before].free.push_back({first, Kind::kEmpty});
    emit(tree.root, first, last);
    nodes[last].edges.push_back({any, last});
  }

  struct Free {
    uint32_t to;
    Kind when;  // kEmpty: always; kBegin, kEnd
  };
  struct Edge {
    uint32_t set, to;
  };
  struct Node {
    std::vector<Free> free;
    std::vector<Edge> edges;
  };
  std::vector<Node> nodes;
  std::vector<const std::vector<RegexTree::Range>*> sets;
  uint32_t start = 0, accept = 0;
  bool too_large() const { return nodes.size() >= kMaxNodes; }

 private:
  uint32_t add() {
    nodes.emplace_back();
    return static_cast<uint32_t>(nodes.size() - 1);
  }
  uint32_t any_character() {
    static const std::vector<RegexTree::Range> kAny = {{0, 0xD7FF}, {0xE000, kLastCharacter}};
    sets.push_back(&kAny);
    return static_cast<uint32_t>(sets.size() - 1);
  }
  void free(uint32_t from, uint32_t to, Kind when = Kind::kEmpty) { nodes[from].free.push_back({to, when}); }

  void emit(uint32_t part, uint32_t from, uint32_t to) {
    if (too_large()) return;
    const auto& node = tree_.nodes[part];
    switch (node.kind) {
      case Kind::kEmpty:
        return free(from, to);
      case Kind::kBegin:
      case Kind::kEnd:
        return free(from, to, node.kind);
      case Kind::kSet:
        sets.push_back(&node.set);
        nodes[from].edges.push_back({static_cast<uint32_t>(sets.size() - 1), to});
        return;
      case Kind::kChoice:
        for (const uint32_t p : node.parts) {
          const uint32_t begin = add();
          free(from, begin);
          emit(p, begin, to);
        }
        return;
      case Kind::kSequence:
        for (const uint32_t p : node.parts) {
          const uint32_t next = add();
          emit(p, from, next);
          from = next;
        }
        return free(from, to);
      case Kind::kRepeat:
        return emit_repeat(node, from, to);
    }
  }

  void emit_repeat(const RegexTree::Node& node, uint32_t from, uint32_t to) {
    for (int64_t i = 0; i < node.min && !too_large(); ++i) {
      const uint32_t next = add();
      emit(node.parts[0], from, next);
      from = next;
    }
    if (node.max < 0) {
      const uint32_t loop = add(), back = add();
      free(from, loop);
      emit(node.parts[0], loop, back);
      free(back, loop);
      return free(loop, to);
    }
    for (int64_t i = node.min; i < node.max && !too_large(); ++i) {
      free(from, to);
      const uint32_t next = add();
      emit(node.parts[0], from, next);
      from = next;
    }
    free(from, to);
  }

  const RegexTree& tree_;
};

class Subsets {
 public:
  using Set = std::vector<uint32_t>;
  Subsets(const Graph& graph, WorkBudget& budget)
      : graph_(graph), budget_(budget), seen_(graph.nodes.size()) {}

  bool run(CodeDfa& out) {
    size_t edges = 0;
    // At the start of the text the anchors for it hold; nowhere later. Its state is never entered again.
    sets_.push_back(closed({graph_.start}, true, false));
    std::vector<RangeTo> ranges;
    for (size_t i = 0; i < sets_.size(); ++i) {
      const Set set = sets_[i];
      const Set at_end = closed(set, i == 0, true);
      ranges.clear();
      for (const uint32_t node : set) {
        for (const auto& edge : graph_.nodes[node].edges)
          for (const auto& range : *graph_.sets[edge.set]) ranges.push_back({range.lo, range.hi, edge.to});
      }
      CodeDfa::State state;
      state.accepts = std::binary_search(at_end.begin(), at_end.end(), graph_.accept);
      const int64_t work = sweep(ranges, [&](uint32_t lo, uint32_t hi, const Set& targets) {
        if (!budget_.spent()) add_edge(state, lo, hi, id_of(targets));
      });
      edges += state.edges.size();
      out.states.push_back(std::move(state));
      if (!budget_.spend(work) || sets_.size() > CodeDfa::kMaxStates || edges > CodeDfa::kMaxEdges)
        return false;
    }
    return true;
  }

 private:
  static void add_edge(CodeDfa::State& state, uint32_t lo, uint32_t hi, uint32_t to) {
    if (!state.edges.empty() && state.edges.back().to == to && state.edges.back().hi + 1 == lo) {
      state.edges.back().hi = hi;
    } else {
      state.edges.push_back({lo, hi, to});
    }
  }

  uint32_t id_of(const Set& targets) {
    const auto [at, inserted] =
        ids_.try_emplace(closed(targets, false, false), static_cast<uint32_t>(sets_.size()));
    if (inserted) sets_.push_back(at->first);
    return at->second;
  }

  Set closed(Set set, bool at_begin, bool at_end) {
    ++mark_;
    Set out;
    for (size_t i = 0; i < set.size(); ++i) {
      if (std::exchange(seen_[set[i]], mark_) == mark_) continue;
      out.push_back(set[i]);
      for (const auto& move : graph_.nodes[set[i]].free) {
        const bool open = move.when == Kind::kEmpty || (move.when == Kind::kBegin ? at_begin : at_end);
        if (open) set.push_back(move.to);
      }
    }
    budget_.spend(static_cast<int64_t>(set.size()));
    std::sort(out.begin(), out.end());
    return out;
  }

  const Graph& graph_;
  WorkBudget& budget_;
  std::vector<uint32_t> seen_;
  uint32_t mark_ = 0;
  std::vector<Set> sets_;
  std::unordered_map<Set, uint32_t, SetHash> ids_;
};

}  // namespace

Result<CodeDfa> regex_dfa(std::string_view pattern, WorkBudget& budget) {
  const auto tree = parse_regex(pattern);
  if (!tree) return tree.error();
  const Graph graph(*tree);
  if (graph.too_large()) return too_large();
  CodeDfa dfa;
  if (!Subsets(graph, budget).run(dfa)) return too_large();
  return reduced(std::move(dfa), budget);
}

}  // namespace fathom::text
