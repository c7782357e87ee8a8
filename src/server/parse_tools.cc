#include "server/parse_tools.h"

#include <algorithm>
#include <cctype>

namespace fathom::server {
namespace {

using Mode = ToolChoice::Mode;

Tool parse_function(const Fields& f, const char* parameters_key) {
  Tool tool;
  tool.name = f.required_text("name");
  check_tool_name(tool.name, f.path("name"));
  tool.description = f.text("description").value_or("");
  tool.strict = f.flag("strict").value_or(false);
  if (const auto parameters = f.object(parameters_key)) tool.parameters = parameters->json();
  return tool;
}

Fields function_of(const Fields& f, const ToolForm& form) {
  return form.nested == nullptr ? f : f.required_object(form.nested);
}

bool has(const std::vector<Tool>& tools, const std::string& name) {
  return std::ranges::find(tools, name, &Tool::name) != tools.end();
}

Mode mode_of(const std::string& word, const std::string& path) {
  if (word == "none") return Mode::kNone;
  if (word == "auto") return Mode::kAuto;
  if (word == "required") return Mode::kRequired;
  throw bad_value(path, "must be none, auto, required or an object that names a function");
}

// {"mode": "auto" | "required", "tools": [...]}: the other tools are dropped.
void parse_allowed_tools(const Fields& allowed, const ToolForm& form, ChatRequest& out) {
  const std::string mode = allowed.required_text("mode");
  if (mode != "auto" && mode != "required") throw bad_value(allowed.path("mode"), "must be auto or required");
  std::vector<std::string> names;
  const OrderedJson& list = allowed.required_array("tools");
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = element_path(allowed.path("tools"), i);
    names.push_back(function_of(Fields(list[i], path), form).required_text("name"));
    if (!has(out.tools, names.back()))
      throw bad_value(path, "names a tool that is not among the tools: " + names.back());
  }
  std::erase_if(out.tools,
                [&names](const Tool& t) { return std::ranges::find(names, t.name) == names.end(); });
  out.tool_choice.mode = mode_of(mode, allowed.path("mode"));
}

void parse_choice_object(const Fields& choice, const ToolForm& form, ChatRequest& out) {
  const std::string type = choice.required_text("type");
  if (type == "function")
    out.tool_choice = {Mode::kNamed, function_of(choice, form).required_text("name")};
  else if (type == "allowed_tools")
    parse_allowed_tools(form.nested == nullptr ? choice : choice.required_object("allowed_tools"), form, out);
  else
    throw bad_value(choice.path("type"), "must be function or allowed_tools");
}

}  // namespace

void check_tool_name(const std::string& name, const std::string& path) {
  const auto fits = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-'); };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, fits))
    throw bad_value(path, "must be 1 to 64 letters, digits, underscores and dashes");
}

void parse_tools(const Fields& f, const ToolForm& form, ChatRequest& out) {
  out.parameters_key = (form.nested == nullptr ? "" : form.nested + std::string(".")) + form.parameters;
  const OrderedJson* list = f.array("tools");
  if (list == nullptr) return;
  if (list->size() > static_cast<size_t>(kMostTools))
    throw bad_value("tools", "has more than " + std::to_string(kMostTools) + " tools");
  for (size_t i = 0; i < list->size(); ++i) {
    const Fields tool((*list)[i], element_path("tools", i));
    const auto type = tool.text("type");
    if (!type && !form.type_may_miss) throw missing(tool.path("type"));
    if (type && *type != form.type)
      throw bad_value(tool.path("type"),
                      "must be " + quotable(form.type) + ": there are no other tools here");
    out.tools.push_back(parse_function(function_of(tool, form), form.parameters));
  }
}

void choose_by_default(ChatRequest& out) {
  out.tool_choice.mode = out.tools.empty() ? Mode::kNone : Mode::kAuto;
}

void parse_tool_choice(const Fields& f, const ToolForm& form, ChatRequest& out) {
  choose_by_default(out);
  const OrderedJson* value = f.find("tool_choice");
  if (value == nullptr) return;
  const std::string path = f.path("tool_choice");
  if (value->is_object())
    parse_choice_object(Fields(*value, path), form, out);
  else if (!value->is_string())
    throw wrong_type(path, "a string or an object");
  else if (const Mode mode = mode_of(value->get<std::string>(), path); mode != Mode::kAuto)
    out.tool_choice.mode = mode;
  check_tool_choice(out, path);
}

void check_tool_choice(const ChatRequest& r, const std::string& path) {
  if (r.tool_choice.mode == Mode::kRequired && r.tools.empty())
    throw bad_value(path, "asks for a call, but there are no tools");
  if (r.tool_choice.mode == Mode::kNamed && !has(r.tools, r.tool_choice.name))
    throw bad_value(path, "names a tool that is not among the tools: " + r.tool_choice.name);
}

OrderedJson call_json(const std::string& id, const std::string& name, const std::string& arguments) {
  return {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
}

}  // namespace fathom::server
