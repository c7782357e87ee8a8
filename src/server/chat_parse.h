// The body of /chat/completions.
#pragma once

#include <string_view>

#include "server/request.h"

namespace fathom::server {

// Throws Refusal naming the field. Unknown fields are ignored. Pure; any thread.
ChatRequest parse_chat(std::string_view body);
// The same of JSON that has been parsed; /tokenize takes a chat too.
ChatRequest parse_chat_json(const OrderedJson& body);

}  // namespace fathom::server
