#include "server/chat_prompt.h"

#include <algorithm>

#include "server/errors.h"
#include "text/chat_tools.h"

namespace fathom::server {
namespace {

using text::ChatFormat;

text::ChatFormat require_format(const ServedModel& model) {
  if (!model.format)
    throw Refusal(
        400,
        "messages: this model has no chat format; use /v1/completions, or start the server with --format",
        "messages", "no_chat_format");
  return *model.format;
}

// The mode a request asks for; refuses what the model has not.
bool wants_thinking(const ChatRequest& r, const ServedModel& model) {
  const text::ThinkingSupport support = model.thinking();
  const bool named_chat = r.model == kChatName, named_reasoner = r.model == kReasonerName;
  bool wanted = !support.non_thinking;
  std::string field = "model";
  if (named_chat || named_reasoner) wanted = named_reasoner;
  if (r.thinking) {
    wanted = *r.thinking;
    field = "thinking";
  }
  const std::string other = " mode; ask for the model " + quotable(model.name) + " without naming a mode";
  if (wanted && !support.thinking)
    throw Refusal(400, field + ": " + quotable(model.name) + " has no thinking" + other, field,
                  "mode_not_supported");
  if (!wanted && !support.non_thinking)
    throw Refusal(400, field + ": " + quotable(model.name) + " has no non-thinking" + other, field,
                  "mode_not_supported");
  return wanted;
}

OrderedJson tools_json(const std::vector<Tool>& tools) {
  OrderedJson out = OrderedJson::array();
  for (const Tool& t : tools) {
    OrderedJson function = {{"name", t.name}};
    if (!t.description.empty()) function["description"] = t.description;
    if (!t.parameters.is_null()) function["parameters"] = t.parameters;
    out.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return out;
}

// Some templates fail or lose calls where the API allows content beside them.
void fit_to_template(ChatFormat format, OrderedJson& messages) {
  for (OrderedJson& m : messages) {
    if (m["role"] != "assistant") continue;
    const bool calls = m.contains("tool_calls");
    if (format == ChatFormat::kV3 && calls) m["content"] = nullptr;
    if (format == ChatFormat::kR1_0528 && m["content"].is_null()) m["content"] = "";
  }
}

// V3.1's template asks for an answer only after a user's message. Its successor, else the same, does it
// always.
ChatFormat format_for(ChatFormat format, const OrderedJson& messages) {
  if (format != ChatFormat::kV3_1) return format;
  const bool only_system =
      std::ranges::all_of(messages, [](const OrderedJson& m) { return m["role"] == "system"; });
  const bool after_answer = messages.back()["role"] == "assistant" && !messages.back().contains("prefix");
  return only_system || after_answer ? ChatFormat::kV3_2Exp : format;
}

}  // namespace

void check_model_name(const CommonFields& r, const ServedModel& model) {
  if (r.model == model.name || r.model == kChatName || r.model == kReasonerName) return;
  throw Refusal(404,
                "model: there is no " + quotable(r.model, 80) + "; this server offers " +
                    quotable(model.name) + ", " + kChatName + " and " + kReasonerName,
                "model", "model_not_found");
}

void check_prompt_size(size_t tokens, const ServedModel& model, const std::string& field) {
  const int64_t room = std::min(model.engine.context_tokens(), model.engine.cache_tokens());
  if (static_cast<int64_t>(tokens) < room) return;
  throw Refusal(400,
                field + ": the prompt has " + std::to_string(tokens) + " tokens, but the context holds " +
                    std::to_string(room) + " with the answer; shorten it",
                field, "context_length_exceeded");
}

ChatPrompt chat_prompt(const ChatRequest& r, const ServedModel& model) {
  if (r.model_must_exist) check_model_name(r, model);
  const ChatFormat format = require_format(model);
  ChatPrompt out;
  out.thinking = wants_thinking(r, model);
  out.tools = !r.tools.empty() && r.tool_choice.mode != ToolChoice::Mode::kNone;
  OrderedJson messages = r.messages;
  fit_to_template(format, messages);
  text::Rendered tool_prompt;
  text::ChatOptions options = {
      .thinking = out.thinking, .add_generation_prompt = !r.open_end, .open_end = r.open_end};
  if (out.tools) {
    auto rendered = text::render_tools(format, tools_json(r.tools));
    if (!rendered) throw bad_value(r.tools_path, rendered.error().line());
    tool_prompt = *std::move(rendered);
    options.tool_prompt = &tool_prompt;
  }
  const auto rendered = text::render_chat(format_for(format, messages), messages, options);
  if (!rendered) {
    const Error& e = rendered.error();
    const std::string field = e.where + (e.key.empty() ? "" : "." + e.key);
    throw Refusal(400, field + ": " + e.problem, field);
  }
  out.syntax = text::output_syntax(format, *rendered, model.tokenizer, out.tools);
  out.ids = model.tokenizer.encode(rendered->text, rendered->spans);
  return out;
}

}  // namespace fathom::server
