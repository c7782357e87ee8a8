// The pre-tokenizer: cuts a text into the pieces that BPE works on, by the regular expressions of the
// tokenizer file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace fathom::text {

// Immutable; split() may be called from any thread.
class SplitRules {
 public:
  static constexpr size_t kMaxRules = 16;
  static constexpr size_t kMaxPattern = 16384;  // bytes

  // Compiles the patterns (PCRE2 with UTF, Unicode properties and, where the system lets it, JIT). `where`
  // and `keys[i]` name the source of pattern i in the error.
  static Result<SplitRules> compile(const std::vector<std::string>& patterns,
                                    const std::vector<std::string>& keys, const std::string& where);

  // Appends the pieces of text[begin, end) in order; together they are the range. Every rule cuts what the
  // rules before it left, matches and gaps alike, each seen as a text of its own. REQUIRES: valid UTF-8,
  // whole characters. Throws Exception when a rule exceeds its matching budget.
  void split(std::string_view text, size_t begin, size_t end, std::vector<Span>& pieces) const;

 private:
  struct Rule;
  class Run;
  std::vector<std::shared_ptr<const Rule>> rules_;
  std::string where_;
};

}  // namespace fathom::text
