// Strings of JSON: characters as UTF-8, with escapes.
#include <algorithm>

#include "text/grammar_json.h"

namespace fathom::text {
namespace {

constexpr uint32_t kFirstPlain = 0x20;

}  // namespace

GrammarBuilder::Node JsonRules::continuation(uint8_t lo, uint8_t hi, Node to) {
  const auto [at, inserted] = continuations_.try_emplace({lo, hi, to}, 0);
  if (inserted) {
    at->second = b_.add_node();
    b_.bytes(at->second, lo, hi, to);
  }
  return at->second;
}

// The UTF-8 of the characters from lo to hi, none of which is a surrogate. Splits the range until all bytes
// but the first run through everything they can or stay the same.
void JsonRules::add_characters(Node from, uint32_t lo, uint32_t hi, Node to) {
  static constexpr uint32_t kLengthEnds[] = {0x7F, 0x7FF, 0xFFFF, kLastCharacter};
  size_t tail = 0;  // bytes after the first
  while (kLengthEnds[tail] < lo) ++tail;
  if (hi > kLengthEnds[tail]) {
    add_characters(from, lo, kLengthEnds[tail], to);
    return add_characters(from, kLengthEnds[tail] + 1, hi, to);
  }
  for (size_t i = tail; i >= 1; --i) {
    const uint32_t low_bits = (uint32_t{1} << (6 * i)) - 1;
    if ((lo & ~low_bits) == (hi & ~low_bits)) continue;
    if ((lo & low_bits) != 0) {
      add_characters(from, lo, lo | low_bits, to);
      return add_characters(from, (lo | low_bits) + 1, hi, to);
    }
    if ((hi & low_bits) != low_bits) {
      add_characters(from, lo, (hi & ~low_bits) - 1, to);
      return add_characters(from, hi & ~low_bits, hi, to);
    }
  }
  static constexpr uint8_t kLeads[] = {0, 0xC0, 0xE0, 0xF0};
  Node next = to;
  for (size_t i = 0; i < tail; ++i) {
    const auto byte = [&](uint32_t c) { return static_cast<uint8_t>(0x80 | ((c >> (6 * i)) & 0x3F)); };
    next = continuation(byte(lo), byte(hi), next);
  }
  const auto lead = [&](uint32_t c) { return static_cast<uint8_t>(kLeads[tail] | (c >> (6 * tail))); };
  b_.bytes(from, lead(lo), lead(hi), next);
}

JsonRules::Rule JsonRules::string() {
  if (string_ != kNoRule) return string_;
  string_ = b_.add_rule();
  continuations_.clear();
  const Node inside = b_.add_node(), backslash = b_.add_node();
  b_.literal(b_.start(string_), "\"", inside);
  b_.literal(inside, "\"", b_.end(string_));
  uint32_t lo = kFirstPlain;
  for (const uint32_t stop : {uint32_t{'"'}, uint32_t{'<'}, uint32_t{'\\'}, uint32_t{0xD800}}) {
    if (lo < stop) add_characters(inside, lo, stop - 1, inside);
    if (stop == '<' && !escape_less_than_) add_characters(inside, stop, stop, inside);
    lo = stop + 1;
  }
  add_characters(inside, 0xE000, kLastCharacter, inside);
  b_.literal(inside, "\\", backslash);
  add_free_escapes(backslash, inside);
  return string_;
}

// After a backslash. Surrogates come in pairs.
void JsonRules::add_free_escapes(Node from, Node to) {
  for (const char c : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'}) b_.literal(from, {&c, 1}, to);
  const auto hex = [&](Node at, Node next) {
    b_.bytes(at, '0', '9', next);
    b_.bytes(at, 'a', 'f', next);
    b_.bytes(at, 'A', 'F', next);
  };
  const Node digits = b_.add_node(), three = b_.add_node(), two = b_.add_node(), one = b_.add_node();
  b_.literal(from, "u", digits);
  b_.bytes(digits, '0', '9', three);
  for (const char base : {'a', 'A'}) {
    const auto letter = static_cast<uint8_t>(base);
    b_.bytes(digits, letter, letter + 2, three);
    b_.bytes(digits, letter + 4, letter + 5, three);
  }
  hex(three, two);
  hex(two, one);
  hex(one, to);
  const Node d = b_.add_node(), high = b_.add_node(), high_last = b_.add_node(), pair = b_.add_node(),
             low_d = b_.add_node(), low = b_.add_node();
  for (const char c : {'d', 'D'}) b_.literal(digits, {&c, 1}, d);
  b_.bytes(d, '0', '7', two);
  b_.bytes(d, '8', '9', high);
  for (const char base : {'a', 'A'}) {
    const auto letter = static_cast<uint8_t>(base);
    b_.bytes(d, letter, letter + 1, high);
    b_.bytes(low, letter + 2, letter + 5, two);
    b_.bytes(low_d, letter + 3, letter + 3, low);
  }
  hex(high, high_last);
  hex(high_last, pair);
  b_.literal(pair, "\\u", low_d);
}

// What follows a backslash where these characters lead to these nodes.
JsonRules::Node JsonRules::escapes(const std::vector<std::pair<uint32_t, Node>>& targets) {
  const auto [at, inserted] = escapes_.try_emplace(targets, 0);
  if (!inserted) return at->second;
  const Node node = at->second = b_.add_node();
  std::map<std::string, Node> inner = {{"", node}};  // by what has been read of the escape
  for (const auto& [character, to] : targets) {
    const std::string escape = escape_of(character).substr(1);
    for (size_t i = 0; i < escape.size(); ++i) {
      const Node before = inner.at(escape.substr(0, i));
      if (i + 1 == escape.size()) {
        b_.literal(before, escape.substr(i), to);
      } else if (!inner.contains(escape.substr(0, i + 1))) {
        const Node next = inner[escape.substr(0, i + 1)] = b_.add_node();
        b_.literal(before, escape.substr(i, 1), next);
      }
    }
  }
  return node;
}

void JsonRules::add_string_state(const CodeDfa::State& state, const std::vector<Node>& nodes, Node node,
                                 Node end) {
  if (state.accepts) b_.literal(node, "\"", end);
  std::vector<std::pair<uint32_t, Node>> escaped;
  for (const auto& edge : state.edges) {
    uint32_t lo = edge.lo;
    const auto plain_until = [&](uint32_t stop) {  // [lo, stop) as it is
      if (lo < stop) add_characters(node, lo, stop - 1, nodes[edge.to]);
    };
    // Only characters up to the backslash may need an escape.
    for (uint32_t c = lo; c <= std::min<uint32_t>(edge.hi, '\\'); ++c) {
      if (escape_of(c).empty()) continue;
      plain_until(c);
      escaped.emplace_back(c, nodes[edge.to]);
      lo = c + 1;
    }
    plain_until(edge.hi + 1);
  }
  if (!escaped.empty()) b_.literal(node, "\\", escapes(escaped));
}

JsonRules::Rule JsonRules::string_of(const CodeDfa& dfa) {
  const Rule rule = b_.add_rule();
  continuations_.clear();
  escapes_.clear();
  std::vector<Node> nodes;
  for (size_t s = 0; s < dfa.states.size(); ++s) nodes.push_back(b_.add_node());
  if (!nodes.empty()) b_.literal(b_.start(rule), "\"", nodes[0]);
  for (size_t s = 0; s < nodes.size() && !b_.full(); ++s)
    add_string_state(dfa.states[s], nodes, nodes[s], b_.end(rule));
  if (!b_.full()) note_likes(dfa, nodes);
  return rule;
}

void JsonRules::note_likes(const CodeDfa& dfa, const std::vector<Node>& nodes) {
  std::map<Node, Node> like;
  for (size_t s = 0; s < nodes.size(); ++s) {
    const uint32_t other = dfa.states[s].like;
    if (other == s) continue;
    like[nodes[s]] = nodes[other];
    b_.like(nodes[s], nodes[other]);
  }
  if (like.empty()) return;
  // One level is enough: deeper ones permit few tokens.
  for (const auto& [key, node] : continuations_) {
    const auto found = like.find(key[2]);
    if (found == like.end()) continue;
    const auto other = continuations_.find({key[0], key[1], found->second});
    if (other != continuations_.end()) b_.like(node, other->second);
  }
}

}  // namespace fathom::text
