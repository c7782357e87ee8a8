// Tools and the choice among them, which the APIs write alike but for where a function's fields stand. All
// throw Refusal naming the field.
#pragma once

#include "server/fields.h"
#include "server/request.h"

namespace fathom::server {

// How an API writes a tool.
struct ToolForm {
  const char* type;  // its only type
  bool type_may_miss;
  const char* nested;      // the object inside that holds the function's fields; null: they stand in the tool
  const char* parameters;  // the field that holds the schema
};

inline constexpr ToolForm kChatTools{"function", false, "function", "parameters"};
inline constexpr ToolForm kResponsesTools{"function", false, nullptr, "parameters"};
inline constexpr ToolForm kMessagesTools{"custom", true, nullptr, "input_schema"};

// A function's name: [A-Za-z0-9_-], 1 to 64.
void check_tool_name(const std::string& name, const std::string& path);

// "tools", up to kMostTools, into tools and parameters_key.
void parse_tools(const Fields& request, const ToolForm& form, ChatRequest& out);

// "tool_choice" as OpenAI writes it, after the tools: none, auto, required, a function's name or a list of
// allowed tools, which drops the others.
void parse_tool_choice(const Fields& request, const ToolForm& form, ChatRequest& out);

// What no field says: auto with tools, none without.
void choose_by_default(ChatRequest& out);
// Refuses a choice that the tools do not allow.
void check_tool_choice(const ChatRequest& request, const std::string& path);

// A call in a message of the assistant, as the chat API has it.
OrderedJson call_json(const std::string& id, const std::string& name, const std::string& arguments);

}  // namespace fathom::server
