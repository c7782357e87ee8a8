// A chat request as the prompt that the model gets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/request.h"
#include "server/served_model.h"
#include "text/output_parser.h"

namespace fathom::server {

struct ChatPrompt {
  std::vector<int32_t> ids;
  text::OutputSyntax syntax;
  bool thinking = false;  // the mode that was asked for
  bool tools = false;     // calls are described and looked for
};

// Names beside the directory's own.
inline constexpr const char* kChatName = "deepseek-chat";
inline constexpr const char* kReasonerName = "deepseek-reasoner";

// Refuses names that this server does not offer: 404.
void check_model_name(const CommonFields& request, const ServedModel& model);

// Renders and encodes. Throws Refusal: no such model or mode. Pure; any thread.
ChatPrompt chat_prompt(const ChatRequest& request, const ServedModel& model);

// Refuses a prompt that leaves no room for an answer: 400.
void check_prompt_size(size_t tokens, const ServedModel& model, const std::string& field);

}  // namespace fathom::server
