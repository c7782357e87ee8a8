// Answers of /completions: one document, or chunks of a stream.
#pragma once

#include <memory>

#include "server/answer.h"
#include "server/chat_render.h"
#include "server/reply.h"
#include "text/tokenizer.h"

namespace fathom::server {

struct CompletionShape : AnswerShape {
  std::vector<std::string> echoes;  // of each choice, what comes before its answer; empty: nothing
};

// `tokenizer` outlives the sink.
std::unique_ptr<AnswerSink> completion_sink(std::shared_ptr<Reply> reply, CompletionShape shape,
                                            const text::Tokenizer& tokenizer);

}  // namespace fathom::server
