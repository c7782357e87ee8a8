// The body of /completions and /beta/completions.
#pragma once

#include <string_view>

#include "server/request.h"

namespace fathom::server {

inline constexpr int64_t kMostPrompts = 256;

// Throws Refusal naming the field. Unknown fields are ignored. Pure; any thread.
CompletionRequest parse_completion(std::string_view body);

}  // namespace fathom::server
