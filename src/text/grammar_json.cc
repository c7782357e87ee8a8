#include "text/grammar_json.h"

#include <algorithm>

#include "base/json.h"
#include "base/utf8.h"

namespace fathom::text {

JsonRules::Rule JsonRules::space() {
  if (space_ != kNoRule) return space_;
  space_ = b_.add_rule();
  const Node start = b_.start(space_), end = b_.end(space_);
  b_.epsilon(start, end);
  b_.literal(start, " ", end);
  Node spaces = b_.add_node();
  b_.literal(start, "\n", spaces);
  Node tabs = spaces;
  for (int i = 0; i < kMaxIndent; ++i) {
    b_.epsilon(spaces, end);
    const Node next = b_.add_node();
    b_.literal(spaces, " ", next);
    spaces = next;
  }
  b_.epsilon(spaces, end);
  for (int i = 0; i < kMaxTabs; ++i) {
    const Node next = b_.add_node();
    b_.literal(tabs, "\t", next);
    b_.epsilon(next, end);
    tabs = next;
  }
  return space_;
}

void JsonRules::open(Node from, char bracket, Node first) {
  const Node inside = b_.add_node();
  b_.literal(from, {&bracket, 1}, inside);
  b_.call(inside, space(), first);
}

void JsonRules::close(Node last, char bracket, Node to) {
  const Node spaced = b_.add_node();
  b_.call(last, space(), spaced);
  b_.literal(spaced, {&bracket, 1}, to);
}

void JsonRules::comma(Node from, Node to) {
  const Node after = b_.add_node();
  b_.literal(from, ",", after);
  b_.call(after, space(), to);
}

void JsonRules::colon(Node from, Node to) {
  b_.literal(from, ":", to);
  b_.literal(from, ": ", to);
}

void JsonRules::key(Node from, std::string_view text, Node to) {
  const Node after = b_.add_node();
  b_.literal(from, quoted(text), after);
  colon(after, to);
}

JsonRules::Rule JsonRules::value() {
  if (value_ != kNoRule) return value_;
  value_ = b_.add_rule();
  const Node start = b_.start(value_), end = b_.end(value_);
  NumberLimits any;
  b_.call(start, string(), end);
  b_.call(start, *add_number_rule(b_, any), end);
  b_.call(start, object(), end);
  b_.call(start, array(), end);
  for (const char* word : {"true", "false", "null"}) b_.literal(start, word, end);
  return value_;
}

JsonRules::Rule JsonRules::object() {
  if (object_ != kNoRule) return object_;
  object_ = b_.add_rule();
  const Node first = b_.add_node(), key = b_.add_node(), after_key = b_.add_node(), value_at = b_.add_node(),
             after = b_.add_node();
  open(b_.start(object_), '{', first);
  b_.literal(first, "}", b_.end(object_));
  b_.epsilon(first, key);
  b_.call(key, string(), after_key);
  colon(after_key, value_at);
  b_.call(value_at, value(), after);
  comma(after, key);
  close(after, '}', b_.end(object_));
  return object_;
}

JsonRules::Rule JsonRules::array() {
  if (array_ != kNoRule) return array_;
  array_ = b_.add_rule();
  const Node first = b_.add_node(), item = b_.add_node(), after = b_.add_node();
  open(b_.start(array_), '[', first);
  b_.literal(first, "]", b_.end(array_));
  b_.epsilon(first, item);
  b_.call(item, value(), after);
  comma(after, item);
  close(after, ']', b_.end(array_));
  return array_;
}

void JsonRules::literal(Node from, const OrderedJson& value, Node to) {
  if (value.is_string()) return b_.literal(from, quoted(value.get_ref<const std::string&>()), to);
  if (!value.is_structured()) return b_.literal(from, json_text(value), to);
  const bool object = value.is_object();
  const Node first = b_.add_node();
  open(from, object ? '{' : '[', first);
  if (value.empty()) return b_.literal(first, object ? "}" : "]", to);
  Node at = first;
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (item != value.begin()) {
      const Node next = b_.add_node();
      comma(at, next);
      at = next;
    }
    if (object) {
      const Node next = b_.add_node();
      key(at, item.key(), next);
      at = next;
    }
    const Node after = b_.add_node();
    literal(at, *item, after);
    at = after;
  }
  close(at, object ? '}' : ']', to);
}

std::string JsonRules::escape_of(uint32_t c) const {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  if (c >= 0x20 && !(c == '<' && escape_less_than_)) return {};
  static constexpr char kDigits[] = "0123456789abcdef";
  return std::string("\\u00") + kDigits[c >> 4] + kDigits[c & 15];
}

std::string JsonRules::quoted(std::string_view text) const {
  std::string out = "\"";
  for (const char c : text) {
    const std::string escape = escape_of(static_cast<uint8_t>(c));
    escape.empty() ? out += c : out += escape;
  }
  return out += '"';
}

}  // namespace fathom::text
