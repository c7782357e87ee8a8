// Bodies of all APIs: every input is understood or refused in one line.
#include <cstdlib>
#include <string_view>

#include "server/anthropic_parse.h"
#include "server/chat_parse.h"
#include "server/completion_parse.h"
#include "server/errors.h"
#include "server/responses_parse.h"

namespace {

template <class Parse>
void check(Parse parse) {
  try {
    parse();
  } catch (const fathom::server::Refusal& refusal) {
    const bool sound = refusal.status >= 400 && refusal.status < 500 && !refusal.message.empty() &&
                       refusal.message.find('\n') == std::string::npos;
    if (!sound) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fathom::server;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check([body] { parse_chat(body); });
  check([body] { parse_completion(body); });
  check([body] { parse_anthropic(body, false); });
  check([body] { parse_anthropic(body, true); });
  check([body] { parse_responses(body); });
  return 0;
}
