// What a parsed request asks of the engine.
#pragma once

#include <vector>

#include "server/chat_prompt.h"
#include "server/generation.h"
#include "server/request.h"
#include "server/served_model.h"

namespace fathom::server {

struct ChatPlan {
  std::vector<ChoicePlan> choices;
  bool thinking = false;
  int64_t prompt_tokens = 0;
};

struct CompletionPlan {
  std::vector<ChoicePlan> choices;
  std::vector<std::string> echoes;  // of each choice
};

// Throw Refusal. Any thread; grammars are compiled and long prompts encoded here, which takes its time.
ChatPlan plan_chat(const ChatRequest& request, const ServedModel& model, const ServiceOptions& options);
CompletionPlan plan_completion(const CompletionRequest& request, const ServedModel& model,
                               const ServiceOptions& options);

// The ids of a raw prompt: specials are recognised; the beginning of sentence stands in front where the
// tokenizer says so.
std::vector<int32_t> raw_prompt(const std::string& text, const text::Tokenizer& tokenizer);

}  // namespace fathom::server
