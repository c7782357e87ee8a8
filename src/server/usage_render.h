// Usage and log-probabilities as DeepSeek's and OpenAI's APIs write them.
#pragma once

#include "base/json.h"
#include "server/answer.h"
#include "text/tokenizer.h"

namespace fathom::server {

// {"prompt_tokens", ..., "prompt_cache_hit_tokens", ..., "completion_tokens_details": {...}}
OrderedJson usage_json(const AnswerUsage& usage);
// Our extension: {"timing": {"queue_s", "prefill_s", "decode_s"}, "mtp": {"drafted", "accepted"} or null}
OrderedJson extension_json(const AnswerUsage& usage);
// The last members of a chunk or document, each after a comma: "usage" and "fathom" with `total`, and in
// "fathom" the experts, which are taken. Either may be null.
std::string chunk_tail(const AnswerUsage* total, OrderedJson* experts);

// {"token", "logprob", "bytes", "top_logprobs"} of a token that has logprobs.
OrderedJson logprob_json(const text::Tokenizer& tokenizer, const infer::Logprobs& logprobs);
// Finite, so that JSON can hold it.
double finite_logprob(float logprob);
// The text of a token by itself, broken characters replaced.
std::string token_text(const text::Tokenizer& tokenizer, int32_t id);

// [[ids of layer 0], [of layer 1], ...] of one token.
OrderedJson experts_json(std::span<const int32_t> experts, int64_t per_layer);

}  // namespace fathom::server
