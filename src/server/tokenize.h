// /tokenize and /detokenize.
#pragma once

#include <string_view>

#include "base/json.h"
#include "server/served_model.h"

namespace fathom::server {

// {"prompt": text} or a chat ({"messages", "tools", "thinking", ...}) to {"tokens", "count",
// "max_model_len"}. A text is taken as /completions takes it; "add_special_tokens": false leaves out what
// would be put in front. Throws Refusal.
OrderedJson tokenize(std::string_view body, const ServedModel& model);
// {"tokens": ids} to {"prompt": text}.
OrderedJson detokenize(std::string_view body, const ServedModel& model);

}  // namespace fathom::server
