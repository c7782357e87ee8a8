// The tools of a request, described to the model as part of the system text.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "text/chat_format.h"
#include "text/span.h"

namespace fathom::text {

// `tools` is the chat API's array of {"type": "function", "function": {"name", "description"?,
// "parameters"?}}. Formats with plain calls get the text that DeepSeek publishes for V3.1; for the others,
// whose templates and cards say nothing about tools, a text of ours in their syntax of calls. Names,
// descriptions and schemas are the client's; all else, the markers in the instructions included, is ours and
// in the spans. An Error names the field.
//
// Give the result to render_chat as ChatOptions::tool_prompt. Pure; any thread. REQUIRES: `tools` is not
// empty.
Result<Rendered> render_tools(ChatFormat format, const nlohmann::ordered_json& tools);

}  // namespace fathom::text
