// Fields that several APIs share. Pure functions over parsed JSON; all throw Refusal naming the field.
#pragma once

#include "server/fields.h"
#include "server/request.h"

namespace fathom::server {

// temperature, top_p, top_k, min_p, penalties, seed, logit_bias.
SamplingFields parse_sampling(const Fields& fields);
// A string or up to kMostStops strings; null: none. Empty strings say nothing.
std::vector<std::string> parse_stop(const Fields& fields, const char* key);
// stream and stream_options (which needs stream).
void parse_stream(const Fields& fields, CommonFields& out);
// {"experts": bool} of our own extension field "fathom".
void parse_extension(const Fields& fields, CommonFields& out);

// A function's name: [A-Za-z0-9_-], 1 to 64.
void check_tool_name(const std::string& name, const std::string& path);
// {"name", "description"?, "parameters"?, "strict"?}; `parameters_key` names the schema.
Tool parse_function(const Fields& function, const char* parameters_key);
// Too many are refused.
void check_tools(const std::vector<Tool>& tools, const std::string& path);
// Refuses a choice that the tools do not allow.
void check_tool_choice(const ToolChoice& choice, const std::vector<Tool>& tools, const std::string& path);
// Keeps the tools of these names only.
void keep_tools(std::vector<Tool>& tools, const std::vector<std::string>& names, const std::string& path);

// A message's text: a string, or an array of parts of these types, whose texts are joined with newlines.
std::string parse_content(const OrderedJson& content, const std::string& path,
                          std::initializer_list<std::string_view> types);

}  // namespace fathom::server
