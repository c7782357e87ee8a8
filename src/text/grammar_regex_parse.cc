#include <algorithm>

#include "text/grammar_regex.h"

namespace fathom::text {
namespace {

using Kind = RegexTree::Kind;
using Range = RegexTree::Range;
using Set = std::vector<Range>;

constexpr size_t kLongestPattern = 8192;  // characters
constexpr int kDeepestGroup = 64;
constexpr int64_t kLargestCount = 1'000'000;
constexpr uint32_t kDone = ~uint32_t{0};

Set normal(Set set) {
  std::sort(set.begin(), set.end(), [](const Range& a, const Range& b) { return a.lo < b.lo; });
  Set out;
  for (const Range& range : set) {
    if (!out.empty() && range.lo <= out.back().hi + 1) {
      out.back().hi = std::max(out.back().hi, range.hi);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

Set without_surrogates(const Set& set) {
  Set out;
  for (const Range& range : set) {
    if (range.lo < 0xD800) out.push_back({range.lo, std::min<uint32_t>(range.hi, 0xD7FF)});
    if (range.hi > 0xDFFF) out.push_back({std::max<uint32_t>(range.lo, 0xE000), range.hi});
  }
  return out;
}

Set complement(const Set& set) {
  Set out;
  uint32_t next = 0;
  for (const Range& range : normal(set)) {
    if (range.lo > next) out.push_back({next, range.lo - 1});
    next = range.hi + 1;
  }
  if (next <= kLastCharacter) out.push_back({next, kLastCharacter});
  return out;
}

const Set kDigits = {{'0', '9'}};
const Set kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Set kSpace = {{9, 13},          {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const Set kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

bool is_hex(uint32_t c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Parser {
 public:
  explicit Parser(std::string_view pattern) : text_(characters(pattern)) {}

  Result<RegexTree> run() {
    if (text_.size() > kLongestPattern) return error("is too long");
    tree_.root = choice(0);
    if (problem_.empty() && at_ < text_.size()) fail("has an unmatched ')'");
    if (!problem_.empty()) return error(problem_);
    return std::move(tree_);
  }

 private:
  static Error error(const std::string& problem) { return {"", "pattern", problem, "simplify the pattern"}; }
  uint32_t fail(const std::string& problem) {
    if (problem_.empty()) problem_ = problem + " (character " + std::to_string(at_) + ")";
    at_ = text_.size();
    return node({Kind::kEmpty, {}, {}});
  }
  uint32_t peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : kDone; }
  bool take(char c) {
    if (peek() != static_cast<uint32_t>(c)) return false;
    ++at_;
    return true;
  }
  uint32_t node(RegexTree::Node n) {
    tree_.nodes.push_back(std::move(n));
    return static_cast<uint32_t>(tree_.nodes.size() - 1);
  }
  uint32_t set_node(const Set& set) { return node({Kind::kSet, {}, without_surrogates(normal(set))}); }

  uint32_t choice(int depth) {
    std::vector<uint32_t> parts = {sequence(depth)};
    while (take('|')) parts.push_back(sequence(depth));
    return parts.size() == 1 ? parts[0] : node({Kind::kChoice, std::move(parts), {}});
  }

  uint32_t sequence(int depth) {
    std::vector<uint32_t> parts;
    while (peek() != kDone && peek() != '|' && peek() != ')') parts.push_back(repeated(depth));
    return node({Kind::kSequence, std::move(parts), {}});
  }

  uint32_t repeated(int depth) {
    const bool assertion = peek() == '^' || peek() == '$';
    const uint32_t part = atom(depth);
    int64_t min = 1, max = 1;
    if (!quantifier(min, max)) return part;
    if (assertion) return fail("repeats an anchor");
    take('?');
    int64_t more_min = 0, more_max = 0;
    if (quantifier(more_min, more_max)) return fail("has nothing to repeat");
    if (max >= 0 && min > max) return fail("has a repeat whose limits are the wrong way round");
    if (std::max(min, max) > kLargestCount) return fail("repeats too often");
    return node({Kind::kRepeat, {part}, {}, min, max});
  }

  bool quantifier(int64_t& min, int64_t& max) {
    if (take('*')) return min = 0, max = -1, true;
    if (take('+')) return min = 1, max = -1, true;
    if (take('?')) return min = 0, max = 1, true;
    if (peek() != '{' || !is_digit(peek(1))) return false;
    const size_t before = at_++;
    min = max = number();
    if (take(',')) max = is_digit(peek()) ? number() : -1;
    if (take('}')) return true;
    at_ = before;
    return false;
  }

  int64_t number() {
    int64_t value = 0;
    for (; is_digit(peek()); ++at_) value = std::min<int64_t>(value * 10 + (peek() - '0'), kLargestCount + 1);
    return value;
  }

  uint32_t atom(int depth) {
    const uint32_t c = text_[at_++];
    switch (c) {
      case '^':
        return node({Kind::kBegin, {}, {}});
      case '$':
        return node({Kind::kEnd, {}, {}});
      case '.':
        return set_node(complement(kLineEnds));
      case '(':
        return group(depth);
      case '[':
        return set_node(bracket());
      case '\\':
        return set_node(escape(false));
      case '*':
      case '+':
      case '?':
        return fail("has nothing to repeat");
      default:
        return set_node({{c, c}});
    }
  }

  uint32_t group(int depth) {
    if (depth >= kDeepestGroup) return fail("nests its groups too deep");
    if (take('?')) {
      const bool named = peek() == '<' && (is_letter(peek(1)) || peek(1) == '_' || peek(1) == '$');
      if (named) {
        while (peek() != kDone && peek() != '>') ++at_;
        if (!take('>')) return fail("has a group without the end of its name");
      } else if (!take(':')) {
        const bool look = peek() == '=' || peek() == '!' || peek() == '<';
        return fail(look ? "uses lookaround, which is not supported" : "uses a group of an unsupported kind");
      }
    }
    const uint32_t inner = choice(depth + 1);
    if (!take(')')) return fail("has an unmatched '('");
    return inner;
  }

  // A set after '\\'.
  Set escape(bool in_class) {
    if (at_ >= text_.size()) return fail("ends with a backslash"), Set{};
    const uint32_t c = text_[at_++];
    switch (c) {
      case 'd':
        return kDigits;
      case 'D':
        return complement(kDigits);
      case 'w':
        return kWord;
      case 'W':
        return complement(kWord);
      case 's':
        return kSpace;
      case 'S':
        return complement(kSpace);
      case 'p':
      case 'P':
        return fail("uses \\p{...}, which is not supported"), Set{};
      case 'b':
        if (in_class) return {{8, 8}};
        [[fallthrough]];
      case 'B':
        return fail("uses \\b or \\B, which are not supported"), Set{};
      case 'k':
        return fail("uses a back reference, which is not supported"), Set{};
      default:
        break;
    }
    if (c >= '1' && c <= '9') return fail("uses a back reference, which is not supported"), Set{};
    const uint32_t one = character_escape(c);
    return {{one, one}};
  }

  uint32_t character_escape(uint32_t c) {
    switch (c) {
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'v':
        return '\v';
      case 'f':
        return '\f';
      case 'r':
        return '\r';
      case '0':
        if (is_digit(peek())) fail("uses an octal escape");
        return 0;
      case 'c':
        if (!is_letter(peek())) return fail("has \\c without a letter"), 0;
        return text_[at_++] % 32;
      case 'x':
        return hex(2);
      case 'u':
        return unicode_escape();
      default:
        if (is_letter(c)) fail("uses an unknown escape");
        return c;
    }
  }

  uint32_t hex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      if (!is_hex(peek())) return fail("has an escape with too few hexadecimal digits"), 0;
      const uint32_t c = text_[at_++];
      value = value * 16 + (is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
  }

  uint32_t unicode_escape() {
    if (take('{')) {
      uint32_t value = 0;
      if (!is_hex(peek())) return fail("has an empty \\u{}"), 0;
      while (is_hex(peek()) && value <= kLastCharacter) value = value * 16 + hex(1);
      if (value > kLastCharacter || !take('}')) return fail("has a bad \\u{...}"), 0;
      return value;
    }
    const uint32_t first = hex(4);
    if ((first & 0xFC00) != 0xD800 || peek() != '\\' || peek(1) != 'u' || peek(2) == '{') return first;
    const size_t before = at_;
    at_ += 2;
    const uint32_t second = hex(4);
    if ((second & 0xFC00) == 0xDC00) return 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
    if (problem_.empty()) at_ = before;
    return first;
  }

  Set bracket() {
    const bool negated = take('^');
    Set set;
    while (peek() != kDone && peek() != ']') {
      const Set first = member();
      const bool range = peek() == '-' && peek(1) != ']' && peek(1) != kDone;
      if (!range) {
        set.insert(set.end(), first.begin(), first.end());
        continue;
      }
      ++at_;
      const Set last = member();
      const bool single =
          first.size() == 1 && last.size() == 1 && first[0].lo == first[0].hi && last[0].lo == last[0].hi;
      if (!single) return fail("has a class as the limit of a range"), Set{};
      if (first[0].lo > last[0].lo) return fail("has a range whose limits are the wrong way round"), Set{};
      set.push_back({first[0].lo, last[0].lo});
    }
    if (!take(']')) return fail("has an unmatched '['"), Set{};
    return negated ? complement(set) : set;
  }

  Set member() {
    const uint32_t c = text_[at_++];
    if (c == '\\') return escape(true);
    return {{c, c}};
  }

  std::vector<uint32_t> text_;
  size_t at_ = 0;
  RegexTree tree_;
  std::string problem_;
};

}  // namespace

Result<RegexTree> parse_regex(std::string_view pattern) { return Parser(pattern).run(); }

}  // namespace fathom::text
