#include "server/anthropic_parse.h"

#include "server/parse_common.h"
#include "server/parse_tools.h"

namespace fathom::server {
namespace {

[[noreturn]] void refuse_block(const Fields& block, const std::string& type) {
  throw Refusal(
      400,
      block.path("type") + ": blocks of type " + quotable(type) + " are not supported; this model reads text",
      block.path("type"), "unsupported_content");
}

void append_text(std::string& text, const std::string& more) {
  if (!text.empty()) text += '\n';
  text += more;
}

// Text and tool results keep their order: results become messages of their own.
void parse_user(const Fields& m, OrderedJson& out) {
  const OrderedJson* content = m.find("content");
  if (content == nullptr) throw missing(m.path("content"));
  if (content->is_string()) return out.push_back({{"role", "user"}, {"content", *content}});
  if (!content->is_array()) throw wrong_type(m.path("content"), "a string or an array of blocks");
  std::string text;
  bool has_text = false;
  const auto flush = [&] {
    if (has_text) out.push_back({{"role", "user"}, {"content", text}});
    text.clear();
    has_text = false;
  };
  for (size_t i = 0; i < content->size(); ++i) {
    const Fields block((*content)[i], element_path(m.path("content"), i));
    const std::string type = block.required_text("type");
    if (type == "text") {
      append_text(text, block.required_text("text"));
      has_text = true;
    } else if (type == "tool_result") {
      flush();
      const OrderedJson* result = block.find("content");
      const std::string answer =
          result == nullptr ? "" : parse_content(*result, block.path("content"), {"text"});
      out.push_back(
          {{"role", "tool"}, {"tool_call_id", block.required_text("tool_use_id")}, {"content", answer}});
    } else {
      refuse_block(block, type);
    }
  }
  if (has_text || content->empty()) {
    has_text = true;
    flush();
  }
}

void parse_assistant(const Fields& m, OrderedJson& out) {
  const OrderedJson* content = m.find("content");
  if (content == nullptr) throw missing(m.path("content"));
  if (content->is_string()) return out.push_back({{"role", "assistant"}, {"content", *content}});
  if (!content->is_array()) throw wrong_type(m.path("content"), "a string or an array of blocks");
  std::string text;
  OrderedJson calls = OrderedJson::array();
  for (size_t i = 0; i < content->size(); ++i) {
    const Fields block((*content)[i], element_path(m.path("content"), i));
    const std::string type = block.required_text("type");
    if (type == "text") {
      append_text(text, block.required_text("text"));
    } else if (type == "tool_use") {
      const auto input = block.object("input");
      const std::string arguments = input ? json_text(input->json()) : "{}";
      calls.push_back(call_json(block.required_text("id"), block.required_text("name"), arguments));
    } else if (type != "thinking" && type != "redacted_thinking") {
      refuse_block(block, type);
    }
  }
  OrderedJson message = {{"role", "assistant"}, {"content", text}};
  if (!calls.empty()) {
    if (text.empty()) message["content"] = OrderedJson();
    message["tool_calls"] = std::move(calls);
  }
  out.push_back(std::move(message));
}

OrderedJson parse_messages(const Fields& f) {
  OrderedJson out = OrderedJson::array();
  if (const OrderedJson* system = f.find("system"))
    out.push_back({{"role", "system"}, {"content", parse_content(*system, f.path("system"), {"text"})}});
  const OrderedJson& list = f.required_array("messages");
  if (list.empty()) throw bad_value("messages", "must have at least one message");
  for (size_t i = 0; i < list.size(); ++i) {
    const Fields m(list[i], element_path("messages", i));
    const std::string role = m.required_text("role");
    if (role == "user") {
      parse_user(m, out);
    } else if (role == "assistant") {
      parse_assistant(m, out);
    } else if (role == "system") {
      out.push_back({{"role", "system"}, {"content", required_content(m, "content", {"text"})}});
    } else {
      throw bad_value(m.path("role"), "must be user or assistant");
    }
  }
  return out;
}

void parse_messages_choice(const Fields& f, ChatRequest& out) {
  using Mode = ToolChoice::Mode;
  choose_by_default(out);
  const auto choice = f.object("tool_choice");
  if (!choice) return;
  const std::string type = choice->required_text("type");
  out.parallel_calls = !choice->flag("disable_parallel_tool_use").value_or(false);
  if (type == "none") {
    out.tool_choice.mode = Mode::kNone;
  } else if (type == "any") {
    out.tool_choice.mode = Mode::kRequired;
  } else if (type == "tool") {
    out.tool_choice = {Mode::kNamed, choice->required_text("name")};
  } else if (type != "auto") {
    throw bad_value(choice->path("type"), "must be auto, any, tool or none");
  }
  check_tool_choice(out, f.path("tool_choice"));
}

void parse_thinking(const Fields& f, ChatRequest& out) {
  const auto thinking = f.object("thinking");
  if (!thinking) return;
  const std::string type = thinking->required_text("type");
  if (type != "enabled" && type != "disabled" && type != "adaptive")
    throw bad_value(thinking->path("type"), "must be enabled or disabled");
  out.thinking = type != "disabled";
  out.thinking_tokens = thinking->integer("budget_tokens", 1, kMostInteger);
}

// {"format": {"type": "json_schema", "schema"}}
ResponseFormat parse_format(const Fields& f) {
  ResponseFormat out;
  const auto config = f.object("output_config");
  const auto format = config ? config->object("format") : f.object("output_format");
  if (!format) return out;
  if (format->required_text("type") != "json_schema")
    throw bad_value(format->path("type"), "must be json_schema");
  out.kind = ResponseFormat::Kind::kJsonSchema;
  out.schema = format->required_object("schema").json();
  out.schema_path = format->path("schema");
  return out;
}

}  // namespace

ChatRequest parse_anthropic(std::string_view body, bool counting) {
  const OrderedJson json = parse_body(body);
  const Fields f(json, "");
  ChatRequest out;
  out.model_must_exist = false;
  out.model = f.required_text("model");
  out.max_tokens = f.integer("max_tokens", 1, kMostInteger);
  if (!counting && !out.max_tokens) throw missing("max_tokens");
  out.messages = parse_messages(f);
  out.open_end = out.messages.back()["role"] == "assistant" && !out.messages.back().contains("tool_calls");
  if (out.open_end) out.messages.back()["prefix"] = true;
  out.sampling.temperature = f.number("temperature", 0, 2);
  out.sampling.top_p = f.number("top_p", 0, 1);
  f.integer("top_k", 0, kMostInteger);
  out.stop = parse_stop(f, "stop_sequences");
  parse_stream(f, out);
  parse_extension(f, out);
  parse_tools(f, kMessagesTools, out);
  parse_messages_choice(f, out);
  parse_thinking(f, out);
  out.format = parse_format(f);
  return out;
}

}  // namespace fathom::server
