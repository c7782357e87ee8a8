// Answers of Anthropic's /v1/messages: one message, or its events.
#pragma once

#include <memory>

#include "server/answer.h"
#include "server/reply.h"

namespace fathom::server {

struct MessageShape {
  std::string model;
  int64_t prompt_tokens = 0;
};

std::unique_ptr<AnswerSink> anthropic_sink(std::shared_ptr<Reply> reply, MessageShape shape);

}  // namespace fathom::server
