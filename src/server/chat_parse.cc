#include "server/chat_parse.h"

#include "server/parse_common.h"
#include "server/parse_tools.h"

namespace fathom::server {
namespace {

OrderedJson parse_call(const OrderedJson& value, const std::string& path) {
  const Fields call(value, path);
  const std::string id = call.text("id").value_or("");
  const std::string type = call.text("type").value_or("function");
  if (type != "function") throw bad_value(call.path("type"), "must be \"function\"");
  const Fields function = call.required_object("function");
  return call_json(id, function.required_text("name"), function.required_text("arguments"));
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
  OrderedJson out = {{"role", system ? "system" : role},
                     {"content", required_content(m, "content", {"text"})}};
  if (role == "tool") out["tool_call_id"] = m.required_text("tool_call_id");
  return out;
}

// {"type": "enabled" | "disabled", "budget_tokens"?}, and max_thinking_tokens.
void parse_chat_thinking(const Fields& f, ChatRequest& out) {
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
  parse_tools(f, kChatTools, out);
  parse_tool_choice(f, kChatTools, out);
  out.parallel_calls = f.flag("parallel_tool_calls").value_or(true);
  if (const auto format = f.object("response_format"))
    out.format = parse_response_format(*format, "json_schema");
  parse_chat_thinking(f, out);
  return out;
}

ChatRequest parse_chat(std::string_view body) { return parse_chat_json(parse_body(body)); }

}  // namespace fathom::server
