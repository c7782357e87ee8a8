#include "server/parse_common.h"

#include <algorithm>
#include <charconv>

#include "server/parse_tools.h"

namespace fathom::server {
namespace {

std::vector<std::pair<int64_t, double>> parse_logit_bias(const Fields& fields) {
  std::vector<std::pair<int64_t, double>> out;
  const auto bias = fields.object("logit_bias");
  if (!bias) return out;
  for (const auto& [key, value] : bias->json().items()) {
    const std::string path = bias->path(key);
    int64_t token = 0;
    std::from_chars(key.data(), key.data() + key.size(), token);
    // One way to write each id: "7" and "07" would be two biases of one token.
    if (token < 0 || key != std::to_string(token)) throw bad_value(path, "the key must be the id of a token");
    if (!value.is_number()) throw wrong_type(path, "a number");
    const double number = value.get<double>();
    if (!(number >= -100 && number <= 100)) throw bad_value(path, "must be a number from -100 to 100");
    out.emplace_back(token, number);
  }
  return out;
}

}  // namespace

SamplingFields parse_sampling(const Fields& f) {
  SamplingFields out;
  out.temperature = f.number("temperature", 0, 2);
  out.top_p = f.number("top_p", 0, 1);
  out.min_p = f.number("min_p", 0, 1);
  out.repetition_penalty = f.number("repetition_penalty", 0.01, 100);
  out.top_k = f.integer("top_k", -1, kMostInteger);
  out.seed = f.integer("seed", INT64_MIN, INT64_MAX);
  out.presence_penalty = f.number("presence_penalty", -2, 2).value_or(0);
  out.frequency_penalty = f.number("frequency_penalty", -2, 2).value_or(0);
  out.logit_bias = parse_logit_bias(f);
  return out;
}

std::vector<std::string> parse_stop(const Fields& f, const char* key) {
  std::vector<std::string> out;
  const OrderedJson* stop = f.find(key);
  if (stop == nullptr) return out;
  const auto add = [&out](const OrderedJson& value, const std::string& path) {
    if (!value.is_string()) throw wrong_type(path, "a string");
    if (!value.get_ref<const std::string&>().empty()) out.push_back(value.get<std::string>());
  };
  if (stop->is_string()) {
    add(*stop, f.path(key));
  } else if (stop->is_array()) {
    if (stop->size() > static_cast<size_t>(kMostStops))
      throw bad_value(f.path(key), "has more than " + std::to_string(kMostStops) + " strings");
    for (size_t i = 0; i < stop->size(); ++i) add((*stop)[i], element_path(f.path(key), i));
  } else {
    throw wrong_type(f.path(key), "a string or an array of strings");
  }
  return out;
}

void parse_stream(const Fields& f, CommonFields& out) {
  out.stream = f.flag("stream").value_or(false);
  const auto options = f.object("stream_options");
  if (!options) return;
  if (!out.stream) throw bad_value(f.path("stream_options"), "may only be given when stream is true");
  out.include_usage = options->flag("include_usage").value_or(false);
}

void parse_extension(const Fields& f, CommonFields& out) {
  if (const auto extension = f.object("fathom")) out.experts = extension->flag("experts").value_or(false);
}

std::string parse_content(const OrderedJson& content, const std::string& path,
                          std::initializer_list<std::string_view> types) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) throw wrong_type(path, "a string or an array of parts");
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const Fields part(content[i], element_path(path, i));
    const std::string type = part.required_text("type");
    if (std::ranges::find(types, type) == types.end())
      throw Refusal(400,
                    part.path("type") + ": parts of type " + quotable(type) +
                        " are not supported; this model reads text",
                    part.path("type"), "unsupported_content");
    if (i > 0) text += '\n';
    text += part.required_text(type == "refusal" ? "refusal" : "text");
  }
  return text;
}

std::string required_content(const Fields& f, const char* key,
                             std::initializer_list<std::string_view> types) {
  const OrderedJson* content = f.find(key);
  if (content == nullptr) throw missing(f.path(key));
  return parse_content(*content, f.path(key), types);
}

ResponseFormat parse_response_format(const Fields& format, const char* nested) {
  ResponseFormat out;
  const std::string type = format.required_text("type");
  if (type == "json_object") {
    out.kind = ResponseFormat::Kind::kJsonObject;
  } else if (type == "json_schema") {
    const Fields schema = nested == nullptr ? format : format.required_object(nested);
    out.kind = ResponseFormat::Kind::kJsonSchema;
    check_tool_name(schema.required_text("name"), schema.path("name"));
    schema.text("description");
    out.strict = schema.flag("strict").value_or(false);
    out.schema = schema.required_object("schema").json();
    out.schema_path = schema.path("schema");
  } else if (type != "text") {
    throw bad_value(format.path("type"), "must be text, json_object or json_schema");
  }
  return out;
}

}  // namespace fathom::server
