// The body of /completions and /beta/completions.
#pragma once

#include <string_view>

#include "server/request.h"

namespace fathom::server {

// At most 1,024 answers at once: with more than a few prompts fewer choices of each.
inline constexpr int64_t kMostPrompts = 256, kMostChoicesOfMany = 4;
inline constexpr int64_t kFewPrompts = 8;
static_assert(kMostPrompts * kMostChoicesOfMany == kFewPrompts * kMostChoices);

// Throws Refusal naming the field. Unknown fields are ignored. Pure; any thread.
CompletionRequest parse_completion(std::string_view body);

}  // namespace fathom::server
