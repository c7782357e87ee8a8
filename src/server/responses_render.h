// Answers of /v1/responses: one response, or its events.
#pragma once

#include <memory>

#include "server/answer.h"
#include "server/reply.h"
#include "text/tokenizer.h"

namespace fathom::server {

// `echoed`: what the response repeats of its request. `tokenizer` outlives the sink.
std::unique_ptr<AnswerSink> responses_sink(std::shared_ptr<Reply> reply, OrderedJson echoed, bool logprobs,
                                           const text::Tokenizer& tokenizer);

}  // namespace fathom::server
