#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/split_rules.h"

#include <pcre2.h>

#include <array>
#include <new>

namespace fathom::text {

struct SplitRules::Rule {
  pcre2_code* code = nullptr;
  bool jit = false;
  std::string key;

  Rule() = default;
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;
  ~Rule() { pcre2_code_free(code); }
};

Result<SplitRules> SplitRules::compile(const std::vector<std::string>& patterns,
                                       const std::vector<std::string>& keys, const std::string& where) {
  SplitRules rules;
  rules.where_ = where;
  if (patterns.size() > kMaxRules)
    return Error{
        where, "pre_tokenizer",
        "has " + std::to_string(patterns.size()) + " rules, the limit is " + std::to_string(kMaxRules),
        "use the tokenizer.json of a DeepSeek-V3 family model"};
  for (size_t i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i];
    if (pattern.empty() || pattern.size() > kMaxPattern)
      return Error{where, keys[i], pattern.empty() ? "the pattern is empty" : "the pattern is too long",
                   "restore the published tokenizer.json"};
    auto rule = std::make_shared<Rule>();
    rule->key = keys[i];
    int code = 0;
    size_t at = 0;
    rule->code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &at, nullptr);
    if (rule->code == nullptr) {
      std::array<PCRE2_UCHAR, 200> message{};
      pcre2_get_error_message(code, message.data(), message.size());
      return Error{where, keys[i],
                   "bad regular expression at byte " + std::to_string(at) + ": " +
                       reinterpret_cast<const char*>(message.data()),
                   "restore the published tokenizer.json"};
    }
    rule->jit = pcre2_jit_compile(rule->code, PCRE2_JIT_COMPLETE) == 0;
    rules.rules_.push_back(std::move(rule));
  }
  return rules;
}

// One call of split(): what matching needs and must not be shared between threads.
class SplitRules::Run {
 public:
  Run(const SplitRules& owner, std::string_view text, std::vector<Span>& pieces)
      : owner_(owner),
        text_(text),
        pieces_(pieces),
        data_(pcre2_match_data_create(1, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    if (data_ == nullptr || context_ == nullptr) throw std::bad_alloc();
    pcre2_set_match_limit(context_, kMatchLimit);
    pcre2_set_heap_limit(context_, kHeapKiB);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    pcre2_match_context_free(context_);
    pcre2_match_data_free(data_);
  }

  // Cuts [begin, end) by rule `level` and the ones after it.
  void cut(size_t level, size_t begin, size_t end) {
    if (begin == end) return;
    if (level == owner_.rules_.size()) {
      pieces_.push_back({begin, end});
      return;
    }
    const Rule& rule = *owner_.rules_[level];
    size_t done = begin;  // everything before is cut
    for (size_t from = begin; from <= end;) {
      Span match{};
      if (!find(rule, begin, end, from, match)) break;
      if (match.begin == match.end && match.end == done && done != begin) {
        from = next_character(match.end, end);  // an empty match right after a match does not count
        continue;
      }
      cut(level + 1, done, match.begin);
      cut(level + 1, match.begin, match.end);
      done = match.end;
      from = match.begin == match.end ? next_character(match.end, end) : match.end;
    }
    cut(level + 1, done, end);
  }

 private:
  // A rule of this family needs a few steps for each character. These bounds end an expression that explodes.
  static constexpr uint32_t kMatchLimit = 5'000'000;
  static constexpr uint32_t kHeapKiB = 262'144;

  size_t next_character(size_t at, size_t end) const {
    ++at;
    while (at < end && (static_cast<uint8_t>(text_[at]) & 0xC0) == 0x80) ++at;
    return at;
  }

  bool find(const Rule& rule, size_t begin, size_t end, size_t from, Span& match) {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text_.data()) + begin;
    int rc = PCRE2_ERROR_JIT_STACKLIMIT;
    if (rule.jit) rc = pcre2_jit_match(rule.code, subject, end - begin, from - begin, 0, data_, context_);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
      rc = pcre2_match(rule.code, subject, end - begin, from - begin, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                       data_, context_);
    if (rc == PCRE2_ERROR_NOMATCH) return false;
    const size_t* at = pcre2_get_ovector_pointer(data_);
    if (rc < 0)
      throw Exception({owner_.where_, rule.key, "the expression runs away on this text",
                       "restore the published tokenizer.json, or shorten the text"});
    // \K in a lookaround can place the start anywhere.
    if (at[0] < from - begin || at[1] < at[0])
      throw Exception({owner_.where_, rule.key, "the expression moves the start of its match",
                       "restore the published tokenizer.json"});
    match = {begin + at[0], begin + at[1]};
    return true;
  }

  const SplitRules& owner_;
  std::string_view text_;
  std::vector<Span>& pieces_;
  pcre2_match_data* data_;
  pcre2_match_context* context_;
};

void SplitRules::split(std::string_view text, size_t begin, size_t end, std::vector<Span>& pieces) const {
  Run(*this, text, pieces).cut(0, begin, end);
}

}  // namespace fathom::text
