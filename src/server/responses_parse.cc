#include "server/responses_parse.h"

#include <algorithm>

#include "server/parse_common.h"
#include "server/parse_tools.h"

namespace fathom::server {
namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
  throw Refusal(400, field + ": " + why, field, "unsupported_parameter");
}

// Function calls that follow one another belong to one message of the assistant.
void add_call(const Fields& item, OrderedJson& out) {
  OrderedJson call =
      call_json(item.required_text("call_id"), item.required_text("name"), item.required_text("arguments"));
  if (out.empty() || out.back()["role"] != "assistant")
    out.push_back({{"role", "assistant"}, {"content", OrderedJson()}});
  OrderedJson& message = out.back();
  if (!message.contains("tool_calls")) message["tool_calls"] = OrderedJson::array();
  message["tool_calls"].push_back(std::move(call));
}

void add_message(const Fields& item, OrderedJson& out) {
  const std::string role = item.required_text("role");
  const bool system = role == "system" || role == "developer";
  if (!system && role != "user" && role != "assistant")
    throw bad_value(item.path("role"), "must be user, assistant, system or developer");
  const std::string text =
      required_content(item, "content", {"input_text", "output_text", "text", "refusal"});
  out.push_back({{"role", system ? "system" : role}, {"content", text}});
}

void add_item(const Fields& item, OrderedJson& out) {
  const std::string type = item.text("type").value_or("message");
  if (type == "message") return add_message(item, out);
  if (type == "function_call") return add_call(item, out);
  if (type == "function_call_output") {
    const std::string text = required_content(item, "output", {"input_text", "output_text", "text"});
    return out.push_back(
        {{"role", "tool"}, {"tool_call_id", item.required_text("call_id")}, {"content", text}});
  }
  if (type == "item_reference") refuse(item.path("type"), "this server keeps no items; send them whole");
  if (type != "reasoning")
    refuse(item.path("type"), "items of type " + quotable(type) + " are not supported");
}

OrderedJson parse_input(const Fields& f) {
  OrderedJson out = OrderedJson::array();
  if (const auto instructions = f.text("instructions"))
    out.push_back({{"role", "system"}, {"content", *instructions}});
  const OrderedJson* input = f.find("input");
  if (input == nullptr) throw missing("input");
  if (input->is_string()) {
    out.push_back({{"role", "user"}, {"content", *input}});
    return out;
  }
  if (!input->is_array()) throw wrong_type("input", "a string or an array of items");
  for (size_t i = 0; i < input->size(); ++i) add_item(Fields((*input)[i], element_path("input", i)), out);
  if (input->empty() || out.empty()) throw bad_value("input", "must have at least one message");
  return out;
}

void parse_reasoning(const Fields& f, ChatRequest& out) {
  out.thinking_tokens = f.integer("max_thinking_tokens", 1, kMostInteger);
  const auto reasoning = f.object("reasoning");
  if (!reasoning) return;
  reasoning->text("summary");
  if (const auto effort = reasoning->text("effort")) out.thinking = *effort != "none" && *effort != "minimal";
}

void parse_response_logprobs(const Fields& f, ChatRequest& out) {
  if (const auto top = f.integer("top_logprobs", 0, kMostAlternatives)) out.logprobs = *top;
  const OrderedJson* include = f.array("include");
  for (size_t i = 0; include != nullptr && i < include->size(); ++i) {
    if (!(*include)[i].is_string()) throw wrong_type(element_path("include", i), "a string");
    if ((*include)[i] == "message.output_text.logprobs") out.logprobs = std::max<int64_t>(out.logprobs, 0);
  }
}

OrderedJson echoed_tools(const std::vector<Tool>& tools) {
  OrderedJson out = OrderedJson::array();
  for (const Tool& t : tools)
    out.push_back({{"type", "function"},
                   {"name", t.name},
                   {"description", t.description.empty() ? OrderedJson() : OrderedJson(t.description)},
                   {"parameters", t.parameters},
                   {"strict", t.strict}});
  return out;
}

OrderedJson or_default(const Fields& f, const char* key, OrderedJson otherwise) {
  const OrderedJson* value = f.find(key);
  return value == nullptr ? std::move(otherwise) : *value;
}

OrderedJson echo(const Fields& f, const ResponsesRequest& r) {
  OrderedJson text = or_default(f, "text", OrderedJson::object());
  if (!text.contains("format") || text["format"].is_null()) text["format"] = {{"type", "text"}};
  OrderedJson reasoning = or_default(f, "reasoning", OrderedJson::object());
  for (const char* key : {"effort", "summary"})
    if (!reasoning.contains(key)) reasoning[key] = OrderedJson();
  return {{"instructions", or_default(f, "instructions", {})},
          {"max_output_tokens", or_default(f, "max_output_tokens", {})},
          {"model", r.model},
          {"parallel_tool_calls", r.parallel_calls},
          {"previous_response_id", OrderedJson()},
          {"reasoning", std::move(reasoning)},
          {"store", false},
          {"temperature", r.sampling.temperature.value_or(1)},
          {"text", std::move(text)},
          {"tool_choice", or_default(f, "tool_choice", "auto")},
          {"tools", echoed_tools(r.tools)},
          {"top_p", r.sampling.top_p.value_or(1)},
          {"truncation", "disabled"},
          {"metadata", or_default(f, "metadata", OrderedJson::object())}};
}

void refuse_state(const Fields& f) {
  if (f.find("previous_response_id") != nullptr)
    refuse("previous_response_id", "this server keeps no responses; send the whole conversation as input");
  if (f.find("conversation") != nullptr)
    refuse("conversation", "this server keeps no conversations; send the whole one as input");
  if (f.flag("background").value_or(false))
    refuse("background", "responses in the background are not supported");
  if (f.find("prompt") != nullptr)
    refuse("prompt", "stored prompts are not supported; send the text as input");
}

}  // namespace

ResponsesRequest parse_responses(std::string_view body) {
  const OrderedJson json = parse_body(body);
  const Fields f(json, "");
  refuse_state(f);
  ResponsesRequest out;
  out.model = f.required_text("model");
  out.messages = parse_input(f);
  f.flag("store");
  f.object("metadata");
  if (f.text("truncation").value_or("disabled") != "disabled")
    refuse("truncation", "only \"disabled\" is supported");
  out.sampling = parse_sampling(f);
  parse_extension(f, out);
  out.stream = f.flag("stream").value_or(false);
  f.object("stream_options");
  out.max_tokens = f.integer("max_output_tokens", 1, kMostInteger);
  parse_response_logprobs(f, out);
  parse_tools(f, kResponsesTools, out);
  parse_tool_choice(f, kResponsesTools, out);
  out.parallel_calls = f.flag("parallel_tool_calls").value_or(true);
  const auto text = f.object("text");
  if (const auto format = text ? text->object("format") : text)
    out.format = parse_response_format(*format, nullptr);
  parse_reasoning(f, out);
  out.echoed = echo(f, out);
  return out;
}

}  // namespace fathom::server
