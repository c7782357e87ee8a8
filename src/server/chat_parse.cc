#include "server/chat_parse.h"

#include "server/parse_common.h"

namespace fathom::server {
namespace {

OrderedJson parse_call(const OrderedJson& value, const std::string& path) {
  const Fields call(value, path);
  const std::string id = call.text("id").value_or("");
  const std::string type = call.text("type").value_or("function");
  if (type != "function") throw bad_value(call.path("type"), "must be \"function\"");
  const Fields function = call.required_object("function");
  return {{"id", id},
          {"type", "function"},
          {"function",
           {{"name", function.required_text("name")}, {"arguments", function.required_text("arguments")}}}};
}

OrderedJson parse_assistant(const Fields& m, bool is_last) {
  OrderedJson out = {{"role", "assistant"}};
  const OrderedJson* content = m.find("content");
  out["content"] = content == nullptr
                       ? OrderedJson()
                       : OrderedJson(parse_content(*content, m.path("content"), {"text", "refusal"}));
  const auto thoughts = m.text("reasoning_content");
  const OrderedJson* calls = m.array("tool_calls");
  if (calls != nullptr && !calls->empty()) {
    OrderedJson list = OrderedJson::array();
    for (size_t i = 0; i < calls->size(); ++i)
      list.push_back(parse_call((*calls)[i], element_path(m.path("tool_calls"), i)));
    out["tool_calls"] = std::move(list);
  } else if (out["content"].is_null()) {
    out["content"] = "";
  }
  // Only the text of the last message can be gone on with.
  if (!m.flag("prefix").value_or(false) || !is_last || out.contains("tool_calls")) return out;
  out["prefix"] = true;
  if (thoughts) out["reasoning_content"] = *thoughts;
  return out;
}

OrderedJson parse_message(const OrderedJson& value, const std::string& path, bool is_last) {
  const Fields m(value, path);
  const std::string role = m.required_text("role");
  m.text("name");
  if (role == "assistant") return parse_assistant(m, is_last);
  const bool system = role == "system" || role == "developer";
  if (!system && role != "user" && role != "tool")
    throw bad_value(m.path("role"), "must be system, user, assistant or tool");
  const OrderedJson* content = m.find("content");
  if (content == nullptr) throw missing(m.path("content"));
  OrderedJson out = {{"role", system ? "system" : role},
                     {"content", parse_content(*content, m.path("content"), {"text"})}};
  if (role == "tool") out["tool_call_id"] = m.required_text("tool_call_id");
  return out;
}

std::vector<Tool> parse_tools(const Fields& f) {
  std::vector<Tool> tools;
  const OrderedJson* list = f.array("tools");
  if (list == nullptr) return tools;
  for (size_t i = 0; i < list->size(); ++i) {
    const Fields tool((*list)[i], element_path(f.path("tools"), i));
    if (tool.required_text("type") != "function") throw bad_value(tool.path("type"), "must be \"function\"");
    tools.push_back(parse_function(tool.required_object("function"), "parameters"));
  }
  check_tools(tools, f.path("tools"));
  return tools;
}

std::string function_name(const Fields& f) { return f.required_object("function").required_text("name"); }

// {"type": "allowed_tools", "allowed_tools": {"mode", "tools": [{"type", "function": {"name"}}]}}
void parse_allowed_tools(const Fields& choice, ChatRequest& out) {
  const Fields allowed = choice.required_object("allowed_tools");
  const std::string mode = allowed.required_text("mode");
  if (mode != "auto" && mode != "required") throw bad_value(allowed.path("mode"), "must be auto or required");
  std::vector<std::string> names;
  const OrderedJson& list = allowed.required_array("tools");
  for (size_t i = 0; i < list.size(); ++i)
    names.push_back(function_name(Fields(list[i], element_path(allowed.path("tools"), i))));
  keep_tools(out.tools, names, allowed.path("tools"));
  out.tool_choice.mode = mode == "auto" ? ToolChoice::Mode::kAuto : ToolChoice::Mode::kRequired;
}

void parse_tool_choice(const Fields& f, ChatRequest& out) {
  using Mode = ToolChoice::Mode;
  out.tool_choice.mode = out.tools.empty() ? Mode::kNone : Mode::kAuto;
  const OrderedJson* value = f.find("tool_choice");
  if (value == nullptr) return;
  const std::string path = f.path("tool_choice");
  if (value->is_string()) {
    const auto& word = value->get_ref<const std::string&>();
    if (word == "none")
      out.tool_choice.mode = Mode::kNone;
    else if (word == "required")
      out.tool_choice.mode = Mode::kRequired;
    else if (word != "auto")
      throw bad_value(path, "must be none, auto, required or an object that names a function");
  } else if (value->is_object()) {
    const Fields choice(*value, path);
    const std::string type = choice.required_text("type");
    if (type == "allowed_tools") {
      parse_allowed_tools(choice, out);
    } else if (type == "function") {
      out.tool_choice = {Mode::kNamed, function_name(choice)};
    } else {
      throw bad_value(choice.path("type"), "must be function or allowed_tools");
    }
  } else {
    throw wrong_type(path, "a string or an object");
  }
  check_tool_choice(out.tool_choice, out.tools, path);
}

ResponseFormat parse_format(const Fields& f) {
  ResponseFormat out;
  const auto format = f.object("response_format");
  if (!format) return out;
  const std::string type = format->required_text("type");
  if (type == "json_object") {
    out.kind = ResponseFormat::Kind::kJsonObject;
  } else if (type == "json_schema") {
    const Fields schema = format->required_object("json_schema");
    out.kind = ResponseFormat::Kind::kJsonSchema;
    check_tool_name(schema.required_text("name"), schema.path("name"));
    schema.text("description");
    out.strict = schema.flag("strict").value_or(false);
    out.schema = schema.required_object("schema").json();
    out.schema_path = schema.path("schema");
  } else if (type != "text") {
    throw bad_value(format->path("type"), "must be text, json_object or json_schema");
  }
  return out;
}

// {"type": "enabled" | "disabled", "budget_tokens"?}, and max_thinking_tokens.
void parse_thinking(const Fields& f, ChatRequest& out) {
  out.thinking_tokens = f.integer("max_thinking_tokens", 1, kMostInteger);
  const auto thinking = f.object("thinking");
  if (!thinking) return;
  const std::string type = thinking->required_text("type");
  if (type != "enabled" && type != "disabled")
    throw bad_value(thinking->path("type"), "must be enabled or disabled");
  out.thinking = type == "enabled";
  if (const auto budget = thinking->integer("budget_tokens", 1, kMostInteger)) out.thinking_tokens = budget;
}

void parse_logprobs(const Fields& f, ChatRequest& out) {
  const bool wanted = f.flag("logprobs").value_or(false);
  const auto top = f.integer("top_logprobs", 0, kMostAlternatives);
  if (top && !wanted) throw bad_value(f.path("top_logprobs"), "may only be given when logprobs is true");
  if (wanted) out.logprobs = top.value_or(0);
}

}  // namespace

ChatRequest parse_chat_json(const OrderedJson& body) {
  const Fields f(body, "");
  ChatRequest out;
  out.model = f.required_text("model");
  const OrderedJson& messages = f.required_array("messages");
  if (messages.empty()) throw bad_value("messages", "must have at least one message");
  out.messages = OrderedJson::array();
  for (size_t i = 0; i < messages.size(); ++i)
    out.messages.push_back(parse_message(messages[i], element_path("messages", i), i + 1 == messages.size()));
  out.open_end = out.messages.back().contains("prefix");
  out.sampling = parse_sampling(f);
  out.stop = parse_stop(f, "stop");
  parse_stream(f, out);
  parse_extension(f, out);
  const auto newer = f.integer("max_completion_tokens", 1, kMostInteger);
  const auto older = f.integer("max_tokens", 1, kMostInteger);
  out.max_tokens = newer ? newer : older;
  out.n = f.integer("n", 1, kMostChoices).value_or(1);
  parse_logprobs(f, out);
  out.tools = parse_tools(f);
  parse_tool_choice(f, out);
  out.parallel_calls = f.flag("parallel_tool_calls").value_or(true);
  out.format = parse_format(f);
  parse_thinking(f, out);
  return out;
}

ChatRequest parse_chat(std::string_view body) { return parse_chat_json(parse_body(body)); }

}  // namespace fathom::server
