// Puts a grammar together from rules with free choice, and compiles it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "text/grammar.h"

namespace fathom::text {

// Work that is left to a compilation, so that no schema keeps it busy for long.
class WorkBudget {
 public:
  explicit WorkBudget(int64_t steps) : left_(steps) {}
  // False once it is used up, and from then on.
  bool spend(int64_t steps) { return (left_ -= steps) >= 0; }
  bool spent() const { return left_ < 0; }

 private:
  int64_t left_;
};

// A rule is a graph of nodes from its start to its end. Beyond kMaxEdges edges or nodes nothing more is added
// and full() says so; every loop over input must look at it. One thread at a time.
class GrammarBuilder {
 public:
  using Node = uint32_t;
  using Rule = uint32_t;
  static constexpr size_t kMaxEdges = 600'000;
  static constexpr size_t kMaxStates = 200'000;

  enum class Failure { kTooLarge, kUnsatisfiable };

  Rule add_rule();
  Node start(Rule rule) const { return rules_[rule].start; }
  Node end(Rule rule) const { return rules_[rule].end; }

  Node add_node();
  void epsilon(Node from, Node to) { add({from, to, 0, Kind::kEpsilon, 0, 0}); }
  void bytes(Node from, uint8_t lo, uint8_t hi, Node to) { add({from, to, 0, Kind::kBytes, lo, hi}); }
  void call(Node from, Rule rule, Node to) { add({from, to, rule, Kind::kCall, 0, 0}); }
  void token(Node from, int32_t id, Node to) {
    add({from, to, static_cast<uint32_t>(id), Kind::kToken, 0, 0});
  }
  void literal(Node from, std::string_view text, Node to);
  // Special tokens without an edge leave `node` as it is.
  void any_token(Node node) { nodes_[node].any_token = true; }
  // `node` permits the same next Grammar::kLikeBytes bytes as `other`, of the same rule.
  void like(Node node, Node other) { nodes_[node].like = other; }

  bool full() const { return edges_.size() >= kMaxEdges || nodes_.size() >= kMaxEdges; }

  // The grammar of what `root` derives: deterministic rules, without dead ends. nullptr and `failure`: more
  // than kMaxStates states or the work of `budget`, or nothing can be derived.
  std::shared_ptr<const Grammar> build(Rule root, WorkBudget& budget, Failure& failure) const;

 private:
  friend class SubsetConstruction;
  enum class Kind : uint8_t { kEpsilon, kBytes, kCall, kToken };
  struct Edge {
    Node from, to;
    uint32_t label;  // the rule called or the token
    Kind kind;
    uint8_t lo, hi;
  };
  struct NodeData {
    bool any_token = false;
    Node like = Grammar::kNone;
  };
  struct RuleData {
    Node start, end;
  };
  void add(Edge edge) {
    if (!full()) edges_.push_back(edge);
  }

  std::vector<Edge> edges_;
  std::vector<NodeData> nodes_;
  std::vector<RuleData> rules_;
};

// Removes the states that cannot lead to the end or cannot be reached, and fills in heights. False if the
// start is one of them. Part of GrammarBuilder::build.
bool prune(Grammar& grammar);

}  // namespace fathom::text
