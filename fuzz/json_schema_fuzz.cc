// The schema compiler: no bytes may break it, and what its grammars permit is JSON, with a way on from
// everywhere.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "text/grammar_matcher.h"
#include "text/json_schema.h"

namespace {

using fathom::text::GrammarMatcher;

// A next byte that the grammar permits, from `from` on; -1: there is none.
int next_byte(GrammarMatcher& matcher, uint32_t from) {
  for (uint32_t i = 0; i < 256; ++i) {
    const char byte = static_cast<char>(from + i);
    if (matcher.accept({&byte, 1})) return static_cast<uint8_t>(byte);
  }
  return -1;
}

// Writes what the grammar permits, led by random numbers; later with a preference for what closes.
void walk(const std::shared_ptr<const fathom::text::Grammar>& grammar, uint32_t seed) {
  GrammarMatcher matcher(grammar);
  std::string text;
  for (int step = 0; step < 400; ++step) {
    seed = seed * 1664525 + 1013904223;
    if (matcher.can_end() && (seed >> 30) == 0) break;
    uint32_t from = seed >> 12;
    static constexpr char kClosing[] = "\"}]0";
    if (step > 100 && (seed >> 29) != 0) from = static_cast<uint8_t>(kClosing[(seed >> 24) & 3]);
    const int byte = next_byte(matcher, from);
    if (byte < 0) {
      if (!matcher.can_end()) std::abort();
      break;
    }
    text += static_cast<char>(byte);
  }
  // Repeated names of properties are the one thing that nlohmann's own parser takes and ours does not.
  if (matcher.can_end() && !fathom::OrderedJson::accept(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto schema = fathom::parse_ordered_json(bytes, "schema");
  if (!schema) return 0;
  const auto rules = static_cast<fathom::text::SchemaRules>(data[0] % 3);
  const auto grammar = fathom::text::compile_schema(*schema, rules, "schema");
  if (!grammar) {
    if (grammar.error().line().empty()) std::abort();
    return 0;
  }
  for (uint32_t seed = 0; seed < 3; ++seed) walk(*grammar, seed * 77 + data[0]);
  return 0;
}
