#include "text/chat_tools.h"

#include "base/json.h"
#include "text/chat_markers.h"

namespace fathom::text {
namespace {

struct Tool {
  std::string name, description, parameters;
};

Error bad_field(const std::string& place, const char* key, const char* problem) {
  return Error{.where = place, .key = key, .problem = problem, .remedy = ""};
}

Result<Tool> read_tool(const OrderedJson& json, const std::string& place) {
  if (!json.is_object()) return bad_field(place, "", "must be an object");
  const auto function = json.find("function");
  if (function == json.end() || !function->is_object())
    return bad_field(place, "function", "must be an object");
  const auto name = function->find("name");
  const std::string inner = place + ".function";
  if (name == function->end() || !name->is_string()) return bad_field(inner, "name", "must be a string");
  Tool tool{.name = name->get<std::string>(),
            .description = "",
            .parameters = R"({"type": "object", "properties": {}})"};
  const auto description = function->find("description");
  if (description != function->end() && !description->is_null()) {
    if (!description->is_string()) return bad_field(inner, "description", "must be a string");
    tool.description = description->get<std::string>();
  }
  const auto parameters = function->find("parameters");
  if (parameters != function->end() && !parameters->is_null()) {
    if (!parameters->is_object()) return bad_field(inner, "parameters", "must be a JSON schema, an object");
    tool.parameters = json_text(*parameters, true);
  }
  return tool;
}

void add_tool(const Tool& tool, Rendered& out) {
  out.add_template("### ");
  out.add_content(tool.name);
  out.add_template("\nDescription: ");
  out.add_content(tool.description);
  out.add_template("\n\nParameters: ");
  out.add_content(tool.parameters);
  out.add_template("\n\n");
}

// What V3.1 was trained with. The doubled braces stand in it like that.
void add_plain_rules(Rendered& out) {
  out.add_template("IMPORTANT: ALWAYS adhere to this exact format for tool use:\n");
  out.add_template(marker::kCallsBegin);
  out.add_template(marker::kCallBegin);
  out.add_template("tool_call_name");
  out.add_template(marker::kCallSeparator);
  out.add_template("tool_call_arguments");
  out.add_template(marker::kCallEnd);
  out.add_template("{{additional_tool_calls}}");
  out.add_template(marker::kCallsEnd);
  out.add_template(
      "\n\nWhere:\n"
      "- `tool_call_name` must be an exact match to one of the available tools\n"
      "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
      "- For multiple tool calls, chain them directly without separators or spaces");
}

void add_fenced_rules(Rendered& out) {
  out.add_template("To use tools, end your answer with a list of calls, written exactly like this:\n");
  out.add_template(marker::kCallsBegin);
  out.add_template(marker::kCallBegin);
  out.add_template("function");
  out.add_template(marker::kCallSeparator);
  out.add_template("TOOL_NAME");
  out.add_template(marker::kFenceOpen);
  out.add_template("TOOL_ARGUMENTS");
  out.add_template(marker::kFenceClose);
  out.add_template(marker::kCallEnd);
  out.add_template(marker::kCallsEnd);
  out.add_template(
      "\n\nTOOL_NAME is the name of one of the tools above. TOOL_ARGUMENTS is a JSON object that follows the "
      "parameters "
      "of that tool. Several calls go into one list, each in markers of its own and on a new line. Write "
      "nothing after "
      "the list: the results come next.");
}

}  // namespace

Result<Rendered> render_tools(ChatFormat format, const OrderedJson& tools) {
  if (!tools.is_array()) return bad_field("tools", "", "must be an array");
  Rendered out;
  out.add_template("## Tools\nYou have access to the following tools:\n\n");
  for (size_t i = 0; i < tools.size(); ++i) {
    const auto tool = read_tool(tools[i], "tools[" + std::to_string(i) + "]");
    if (!tool) return tool.error();
    add_tool(*tool, out);
  }
  call_syntax(format) == CallSyntax::kPlain ? add_plain_rules(out) : add_fenced_rules(out);
  return out;
}

}  // namespace fathom::text
