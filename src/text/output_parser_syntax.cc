#include <array>

#include "text/chat_markers.h"
#include "text/output_parser.h"
#include "text/tokenizer.h"

namespace fathom::text {
namespace {

bool has_tokens(const Tokenizer& tokenizer, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto id = tokenizer.id_of(name);
    if (!id || !tokenizer.is_added(*id)) return false;
  }
  return true;
}

// Where the last of `names` that the template wrote begins; 0 if there is none.
size_t last_written(const Rendered& prompt, std::initializer_list<std::string_view> names) {
  for (size_t i = prompt.spans.size(); i-- > 0;) {
    const Span& span = prompt.spans[i];
    const auto piece = std::string_view(prompt.text).substr(span.begin, span.end - span.begin);
    size_t last = std::string_view::npos;
    for (const std::string_view name : names) {
      const size_t at = piece.rfind(name);
      if (at != std::string_view::npos && (last == std::string_view::npos || at > last)) last = at;
    }
    if (last != std::string_view::npos) return span.begin + last;
  }
  return 0;
}

}  // namespace

OutputSyntax output_syntax(ChatFormat format, const Rendered& prompt, const Tokenizer& tokenizer,
                           bool tools) {
  OutputSyntax out;
  out.calls = call_syntax(format);
  out.parse_calls = tools;
  if (thinking_support(format).thinking) {
    const size_t at = last_written(prompt, {marker::kAssistant, marker::kThinkBegin, marker::kThinkEnd,
                                            marker::kOutputEnd, marker::kOutputsEnd});
    const auto rest = std::string_view(prompt.text).substr(at);
    out.start = OutputSyntax::Start::kOpen;
    if (rest.starts_with(marker::kThinkBegin)) out.start = OutputSyntax::Start::kThoughts;
    if (rest.starts_with(marker::kThinkEnd)) out.start = OutputSyntax::Start::kAnswer;
    out.think_as_text = !has_tokens(tokenizer, {marker::kThinkBegin, marker::kThinkEnd});
  }
  out.calls_as_text =
      tools && !has_tokens(tokenizer, {marker::kCallsBegin, marker::kCallsEnd, marker::kCallBegin,
                                       marker::kCallEnd, marker::kCallSeparator});
  return out;
}

}  // namespace fathom::text
