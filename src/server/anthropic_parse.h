// The body of Anthropic's /v1/messages.
#pragma once

#include <string_view>

#include "server/request.h"

namespace fathom::server {

// Throws Refusal naming the field. Unknown fields are ignored. `counting`: for count_tokens, which takes no
// max_tokens. Pure; any thread.
ChatRequest parse_anthropic(std::string_view body, bool counting);

}  // namespace fathom::server
