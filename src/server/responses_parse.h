// The body of OpenAI's /v1/responses.
#pragma once

#include <string_view>

#include "server/request.h"

namespace fathom::server {

struct ResponsesRequest : ChatRequest {
  // What the answer repeats: instructions, metadata, tools and so on, as given or by default.
  OrderedJson echoed;
};

// Throws Refusal naming the field. Unknown fields are ignored. Pure; any thread.
ResponsesRequest parse_responses(std::string_view body);

}  // namespace fathom::server
