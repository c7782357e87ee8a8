// The parser of model output: no bytes may break it, and cuts change nothing.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "text/chat_markers.h"
#include "text/output_parser.h"

namespace {

using fathom::text::OutputEvent;
using fathom::text::OutputParser;
using fathom::text::OutputSyntax;

OutputSyntax syntax_of(uint8_t bits) {
  OutputSyntax syntax;
  syntax.start = static_cast<OutputSyntax::Start>((bits & 3) % 3);
  syntax.calls = (bits & 4) != 0 ? fathom::text::CallSyntax::kFenced : fathom::text::CallSyntax::kPlain;
  syntax.parse_calls = (bits & 8) == 0;
  syntax.think_as_text = (bits & 16) != 0;
  syntax.calls_as_text = (bits & 32) != 0;
  return syntax;
}

// Bytes below 8 are single tokens, everything else plain text, cut after every `step` bytes.
std::vector<OutputEvent> parse(std::string_view bytes, OutputSyntax syntax, size_t step) {
  namespace marker = fathom::text::marker;
  static constexpr std::string_view kTokens[] = {
      marker::kThinkBegin, marker::kThinkEnd,      marker::kCallsBegin, marker::kCallsEnd,
      marker::kCallBegin,  marker::kCallSeparator, marker::kCallEnd,    marker::kEos};
  OutputParser parser(syntax);
  std::vector<OutputEvent> events;
  for (size_t at = 0; at < bytes.size();) {
    if (static_cast<uint8_t>(bytes[at]) < 8) {
      parser.feed(kTokens[static_cast<uint8_t>(bytes[at])], true, events);
      ++at;
      continue;
    }
    size_t end = at;
    while (end < bytes.size() && end - at < step && static_cast<uint8_t>(bytes[end]) >= 8) ++end;
    parser.feed(bytes.substr(at, end - at), false, events);
    at = end;
  }
  parser.finish(events);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const OutputSyntax syntax = syntax_of(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = parse(bytes, syntax, bytes.size() + 1);
  if (parse(bytes, syntax, 1 + data[1] % 16) != whole) std::abort();
  return 0;
}
