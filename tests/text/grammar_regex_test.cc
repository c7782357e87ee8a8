// Regular expressions as automata, against PCRE2 on all short strings and on strings made for each pattern.
#include <gtest/gtest.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/utf8.h"
#include "text/grammar_regex.h"

namespace fathom::test {
namespace {

using text::CodeDfa;
using text::WorkBudget;

class Reference {
 public:
  explicit Reference(const std::string& pattern) {
    int code = 0;
    PCRE2_SIZE at = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                          PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS, &code,
                          &at, nullptr);
    data_ = pcre2_match_data_create(8, nullptr);
  }
  ~Reference() {
    pcre2_match_data_free(data_);
    pcre2_code_free(code_);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  bool good() const { return code_ != nullptr; }
  bool finds(const std::string& text) const {
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data_, nullptr) >=
           0;
  }

 private:
  pcre2_code* code_;
  pcre2_match_data* data_;
};

CodeDfa dfa_of(const std::string& pattern) {
  WorkBudget budget(text::Grammar::kNone);
  auto dfa = text::regex_dfa(pattern, budget);
  EXPECT_TRUE(dfa) << pattern << ": " << dfa.error().line();
  return dfa ? std::move(*dfa) : CodeDfa{};
}

// Calls visit with every string of up to `longest` of `letters`.
template <class Visit>
void every_string(const std::vector<std::string>& letters, size_t longest, Visit&& visit) {
  std::vector<std::string> last = {""};
  for (size_t length = 0; length <= longest; ++length) {
    for (const auto& text : last) visit(text);
    std::vector<std::string> next;
    for (const auto& text : last)
      for (const auto& letter : letters) next.push_back(text + letter);
    last = std::move(next);
  }
}

TEST(GrammarRegex, AgreesWithPcreOnAllShortStrings) {
  const char* patterns[] = {"",
                            "a",
                            "^a",
                            "a$",
                            "^a$",
                            "^$",
                            "ab|b",
                            "^(ab|b)*$",
                            "a*b",
                            "^a+?b$",
                            "^a{2}$",
                            "^a{1,3}$",
                            "^a{2,}$",
                            "^(?:ab){1,2}$",
                            "^[ab]$",
                            "^[^a]$",
                            "^[^ab]{2}$",
                            "^.$",
                            "^..$",
                            "^\\d\\w\\s$",
                            "^\\D\\W\\S$",
                            "^[\\d-]$",
                            "^[a\\-b]+$",
                            "^[]$|^b$",
                            "^(a|^b)$",
                            "(a$|b)",
                            "^(a|b|)$",
                            "^(a*)*$",
                            "^(a?){2}$",
                            "^(?<name>a)b$",
                            "a|^b$",
                            "^\\x61$",
                            "^\\u0062$",
                            "^[a-\\u0062]$",
                            "^[-a]$",
                            "^[a-]$",
                            "^a{0}$",
                            "^(a|b){2,3}$",
                            "^((a)(b))?$",
                            "b^a",
                            "$a|b",
                            "^[é]$",
                            "^\\n$",
                            "^a\\$$",
                            "^[$^]$",
                            "^a{,2}$",
                            "^{$",
                            "^(a|)b$",
                            "^[^\\d]$",
                            "^[\\s\\S]$",
                            "(^a|b$)",
                            "^(^a$)$",
                            "^\\.$",
                            "^a-b$"};
  const std::vector<std::string> letters = {"a", "b", "1", " ", "\n", "$", "-", "{", "é", "😀"};
  for (const char* pattern : patterns) {
    SCOPED_TRACE(pattern);
    const Reference reference(pattern);
    ASSERT_TRUE(reference.good());
    const CodeDfa dfa = dfa_of(pattern);
    every_string(letters, 4, [&](const std::string& text) {
      ASSERT_EQ(dfa.accepts(text::characters(text)), reference.finds(text)) << '"' << text << '"';
    });
  }
}

TEST(GrammarRegex, KnowsClassesAsEcmaScriptDoes) {
  const CodeDfa dot = dfa_of("^.$"), space = dfa_of("^\\s$"), word = dfa_of("^\\w$"), other = dfa_of("^\\W$");
  for (uint32_t c = 0; c <= text::kLastCharacter; c += c < 0x3100 ? 1 : 211) {
    if (c >= 0xD800 && c <= 0xDFFF) {
      for (const CodeDfa* dfa : {&dot, &space, &word, &other}) EXPECT_FALSE(dfa->accepts({c}));
      continue;
    }
    EXPECT_EQ(dot.accepts({c}), c != '\n' && c != '\r' && c != 0x2028 && c != 0x2029) << c;
    const bool blank = (c >= 9 && c <= 13) || c == 32 || c == 0xA0 || c == 0x1680 ||
                       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                       c == 0x205F || c == 0x3000 || c == 0xFEFF;
    EXPECT_EQ(space.accepts({c}), blank) << c;
    const bool letter = c < 128 && (std::isalnum(static_cast<int>(c)) != 0 || c == '_');
    EXPECT_EQ(word.accepts({c}), letter) << c;
    EXPECT_EQ(other.accepts({c}), !letter) << c;
  }
  EXPECT_TRUE(dfa_of("^\\uD83D\\uDE00$").accepts({0x1F600}));
  EXPECT_TRUE(dfa_of("^\\u{1F600}$").accepts({0x1F600}));
  EXPECT_TRUE(dfa_of("^[\\u{1F600}-\\u{1F64F}]$").accepts({0x1F610}));
  EXPECT_TRUE(dfa_of("^\\cJ\\0\\v$").accepts({10, 0, 11}));
}

TEST(GrammarRegex, RefusesWhatItCannotRead) {
  const std::pair<const char*, const char*> refused[] = {{"(", "unmatched '('"},
                                                         {")", "unmatched ')'"},
                                                         {"[a", "unmatched '['"},
                                                         {"*a", "nothing to repeat"},
                                                         {"a**", "nothing to repeat"},
                                                         {"a{2}{3}", "nothing to repeat"},
                                                         {"^*", "anchor"},
                                                         {"a{3,2}", "wrong way round"},
                                                         {"[z-a]", "wrong way round"},
                                                         {"[\\d-z]", "limit of a range"},
                                                         {"(?=a)", "lookaround"},
                                                         {"(?!a)", "lookaround"},
                                                         {"(?<=a)", "lookaround"},
                                                         {"(?<!a)", "lookaround"},
                                                         {"(?i:a)", "group"},
                                                         {"(?#a)", "group"},
                                                         {"(?<n", "name"},
                                                         {"\\1", "back reference"},
                                                         {"\\k<n>", "back reference"},
                                                         {"\\b", "\\b"},
                                                         {"\\B", "\\b"},
                                                         {"\\p{L}", "\\p"},
                                                         {"[\\P{L}]", "\\p"},
                                                         {"\\x4", "hexadecimal"},
                                                         {"\\u12", "hexadecimal"},
                                                         {"\\u{}", "\\u{}"},
                                                         {"\\u{110000}", "\\u{...}"},
                                                         {"\\q", "unknown escape"},
                                                         {"\\", "backslash"},
                                                         {"[\\", "backslash"},
                                                         {"\\01", "octal"},
                                                         {"a{9999999}", "too often"}};
  for (const auto& [pattern, problem] : refused) {
    WorkBudget budget(1'000'000);
    const auto dfa = text::regex_dfa(pattern, budget);
    ASSERT_FALSE(dfa) << pattern;
    EXPECT_EQ(dfa.error().key, "pattern");
    EXPECT_NE(dfa.error().problem.find(problem), std::string::npos) << pattern << ": " << dfa.error().problem;
  }
}

TEST(GrammarCodeDfa, SetsOfStrings) {
  WorkBudget budget(1'000'000);
  const auto length = text::length_dfa(2, 4);
  const CodeDfa pattern = dfa_of("^(ab)*$");
  const auto both = text::intersection(*length, pattern, budget);
  ASSERT_TRUE(both);
  const CodeDfa rest = text::all_but({{'a'}, {'a', 'b'}, {}, {0x10FFFF}, {0xD7FF, 0xE000}});
  every_string({"a", "b", "c"}, 5, [&](const std::string& text) {
    const auto characters = text::characters(text);
    EXPECT_EQ(length->accepts(characters), text.size() >= 2 && text.size() <= 4);
    EXPECT_EQ(both->accepts(characters), text == "ab" || text == "abab");
    EXPECT_EQ(rest.accepts(characters), text != "a" && text != "ab" && !text.empty());
  });
  EXPECT_FALSE(rest.accepts({0x10FFFF}));
  EXPECT_FALSE(rest.accepts({0xD7FF, 0xE000}));
  EXPECT_FALSE(rest.accepts({0xD800}));
  EXPECT_TRUE(rest.accepts({0xD7FF}));
  EXPECT_TRUE(rest.accepts({0xE000}));
  EXPECT_FALSE(text::length_dfa(0, 100'000));
  EXPECT_TRUE(text::length_dfa(3, 2)->states.empty());
}

// States named alike must accept the same strings of up to kLikeBytes characters.
TEST(GrammarCodeDfa, LikeStatesAreAlike) {
  WorkBudget budget(100'000'000);
  const auto dfa = text::reduced(*text::length_dfa(10, 600), budget);
  ASSERT_EQ(dfa.states.size(), 601u);
  EXPECT_EQ(dfa.states[10].like, dfa.states[300].like);
  EXPECT_NE(dfa.states[10].like, dfa.states[9].like);
  EXPECT_EQ(dfa.states[600 - 129].like, dfa.states[300].like);
  EXPECT_NE(dfa.states[600 - 128].like, dfa.states[600 - 127].like);
  EXPECT_NE(dfa.states[600 - 100].like, dfa.states[300].like);
  // And a finite automaton with few states is made the smallest.
  EXPECT_EQ(text::reduced(dfa_of("^(a|b)(a|b)(a|b)$"), budget).states.size(), 4u);
}

}  // namespace
}  // namespace fathom::test
