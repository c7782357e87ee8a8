#include "server/completion_parse.h"

#include "server/parse_common.h"

namespace fathom::server {
namespace {

std::vector<int32_t> parse_ids(const OrderedJson& list, const std::string& path) {
  std::vector<int32_t> ids;
  ids.reserve(list.size());
  if (list.empty()) throw bad_value(path, "must not be empty");
  for (size_t i = 0; i < list.size(); ++i) {
    const auto id = whole_number(list[i]);
    if (!list[i].is_number()) throw wrong_type(element_path(path, i), "the id of a token");
    if (!id || *id < 0 || *id > INT32_MAX) throw bad_value(element_path(path, i), "is not the id of a token");
    ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

CompletionRequest::Prompt parse_prompt(const OrderedJson& value, const std::string& path) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return parse_ids(value, path);
  throw wrong_type(path, "a string or an array of token ids");
}

// A string, ids, or an array of either.
std::vector<CompletionRequest::Prompt> parse_prompts(const Fields& f) {
  const OrderedJson* value = f.find("prompt");
  if (value == nullptr) throw missing("prompt");
  if (!value->is_array() || value->empty() || (*value)[0].is_number())
    return {parse_prompt(*value, "prompt")};
  if (value->size() > static_cast<size_t>(kMostPrompts))
    throw bad_value("prompt", "has more than " + std::to_string(kMostPrompts) + " prompts");
  const bool texts = (*value)[0].is_string();
  std::vector<CompletionRequest::Prompt> out;
  for (size_t i = 0; i < value->size(); ++i) {
    if ((*value)[i].is_string() != texts)
      throw wrong_type(element_path("prompt", i), "of the same kind as the first prompt");
    out.push_back(parse_prompt((*value)[i], element_path("prompt", i)));
  }
  return out;
}

}  // namespace

CompletionRequest parse_completion(std::string_view body) {
  const OrderedJson json = parse_body(body);
  const Fields f(json, "");
  CompletionRequest out;
  out.model = f.required_text("model");
  out.prompts = parse_prompts(f);
  out.suffix = f.text("suffix");
  out.echo = f.flag("echo").value_or(false);
  out.sampling = parse_sampling(f);
  out.stop = parse_stop(f, "stop");
  parse_stream(f, out);
  parse_extension(f, out);
  out.max_tokens = f.integer("max_tokens", 0, kMostInteger);
  out.n = f.integer("n", 1, kMostChoices).value_or(1);
  if (static_cast<int64_t>(out.prompts.size()) > kFewPrompts && out.n > kMostChoicesOfMany)
    throw bad_value("n", "may be at most " + std::to_string(kMostChoicesOfMany) + " with more than " +
                             std::to_string(kFewPrompts) + " prompts");
  out.logprobs = f.integer("logprobs", 0, kMostAlternatives).value_or(-1);
  const auto best_of = f.integer("best_of", 1, kMostChoices);
  if (best_of && *best_of != out.n) throw bad_value("best_of", "is only supported when equal to n");
  return out;
}

}  // namespace fathom::server
