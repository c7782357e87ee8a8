// What a server says about its model and itself.
#pragma once

#include <string_view>

#include "base/json.h"
#include "server/served_model.h"

namespace fathom::server {

// DeepSeek's and OpenAI's list, with what Anthropic's has and our field "fathom" for the page.
OrderedJson model_list(const ServedModel& model);
// One of them, or a null.
OrderedJson model_entry(const ServedModel& model, std::string_view id);
// A server of one's own has no bill.
OrderedJson balance();

}  // namespace fathom::server
