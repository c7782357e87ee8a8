// The parts of JSON as rules of a grammar: strings, literals, white space, values of any shape.
#pragma once

#include <array>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar_code_dfa.h"

namespace fathom::text {

// Adds each rule to the builder when it is first asked for.
//
// White space between elements is nothing, one space, or a newline with at most kMaxIndent spaces or kMaxTabs
// tabs; after a colon nothing or one space; none elsewhere. A number has at most kIntegerDigits digits before
// and kFractionDigits after the point, and an exponent of at most two digits. Constrained strings are written
// with the escapes that JSON needs and no others; free ones with any.
class JsonRules {
 public:
  using Node = GrammarBuilder::Node;
  using Rule = GrammarBuilder::Rule;
  static constexpr int kMaxIndent = 40, kMaxTabs = 16;
  static constexpr int kIntegerDigits = 19, kFractionDigits = 20;

  // `escape_less_than`: '<' is always written \u003c, so that no string can spell a marker.
  JsonRules(GrammarBuilder& builder, bool escape_less_than)
      : b_(builder), escape_less_than_(escape_less_than) {}

  GrammarBuilder& builder() { return b_; }

  Rule space();
  Rule string();  // any
  Rule value();   // any
  Rule object();  // any
  Rule array();   // any

  // Strings of `dfa`, as a rule of their own.
  Rule string_of(const CodeDfa& dfa);
  // `"text":` with the space after it, then `to`. Text is valid UTF-8.
  void key(Node from, std::string_view text, Node to);
  void colon(Node from, Node to);
  // Exactly this value, white space and the choice of numbers' and strings' spelling aside: those are as
  // nlohmann writes them.
  void literal(Node from, const nlohmann::ordered_json& value, Node to);
  // The canonical spelling, quotes included.
  std::string quoted(std::string_view text) const;

  // "[" and "]" or "{" and "}" around `first` to `last`, white space inside: from --open--> first, and from
  // last to `to`. An empty one needs an edge of its own from `first`.
  void open(Node from, char bracket, Node first);
  void close(Node last, char bracket, Node to);
  // From behind one element to the next.
  void comma(Node from, Node to);

 private:
  static constexpr Rule kNoRule = ~Rule{0};
  std::string escape_of(uint32_t character) const;  // empty: written as it is
  void add_characters(Node from, uint32_t lo, uint32_t hi, Node to);
  Node continuation(uint8_t lo, uint8_t hi, Node to);
  void add_free_escapes(Node from, Node to);
  Node escapes(const std::vector<std::pair<uint32_t, Node>>& targets);
  void add_string_state(const CodeDfa::State& state, const std::vector<Node>& nodes, Node node, Node end);
  void note_likes(const CodeDfa& dfa, const std::vector<Node>& nodes);

  GrammarBuilder& b_;
  bool escape_less_than_;
  Rule space_ = kNoRule, string_ = kNoRule, value_ = kNoRule, object_ = kNoRule, array_ = kNoRule;
  // Nodes for the rest of a character and for what follows a backslash, shared within one rule.
  std::map<std::array<uint32_t, 3>, Node> continuations_;
  std::map<std::vector<std::pair<uint32_t, Node>>, Node> escapes_;
};

// The numbers of JSON within limits.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;  // digits without leading and trailing zeros respectively
  bool zero() const { return whole.empty() && fraction.empty(); }
};
// The shortest decimal that reads as the same number. REQUIRES: `number` is a finite number.
Decimal decimal_of(const nlohmann::ordered_json& number);

struct NumberLimits {
  bool integer = false;  // digits only; no -0
  const Decimal* min = nullptr;
  const Decimal* max = nullptr;
  bool above_min = false, below_max = false;  // the limit itself is excluded
  const Decimal* multiple_of = nullptr;       // positive
  bool free() const { return min == nullptr && max == nullptr && multiple_of == nullptr; }
};
// Adds a rule for them. nullopt: it would need too many states, multiple_of being the only possible reason.
// `none`, if given: whether there is no such number.
std::optional<GrammarBuilder::Rule> add_number_rule(GrammarBuilder& builder, const NumberLimits& limits,
                                                    bool* none = nullptr);

}  // namespace fathom::text
