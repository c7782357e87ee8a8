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

// A message's text: a string, or an array of parts of these types, whose texts are joined with newlines.
std::string parse_content(const OrderedJson& content, const std::string& path,
                          std::initializer_list<std::string_view> types);
// The same of a field that must be there.
std::string required_content(const Fields& fields, const char* key,
                             std::initializer_list<std::string_view> types);

// OpenAI's format of an answer: text, json_object or json_schema. `nested` names the object that holds the
// schema with its name; null: the format itself does.
ResponseFormat parse_response_format(const Fields& format, const char* nested);

}  // namespace fathom::server
