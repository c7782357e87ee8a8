// Answers of /chat/completions: one document, or chunks of a stream.
#pragma once

#include <memory>

#include "server/answer.h"
#include "server/reply.h"
#include "text/tokenizer.h"

namespace fathom::server {

// What every answer of one request says of itself.
struct AnswerShape {
  std::string id, model, fingerprint;
  int64_t created = 0;
  size_t choices = 1;
  bool thinking = false;  // there may be reasoning_content
  bool logprobs = false;
  bool include_usage = false;  // as a chunk of its own
  bool experts = false;
  int64_t experts_per_layer = 0;
};

// `tokenizer` outlives it.
std::unique_ptr<AnswerSink> chat_sink(std::shared_ptr<Reply> reply, AnswerShape shape,
                                      const text::Tokenizer& tokenizer);

// "stop", "length", "tool_calls"
const char* finish_name(Finish finish);

}  // namespace fathom::server
