// What is asked of the engine and what it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "infer/logprobs.h"
#include "infer/sampling_params.h"
#include "infer/stop_filter.h"
#include "infer/token_bits.h"

namespace fathom::infer {

struct Request {
  std::vector<int32_t> prompt;  // ids, BOS included where the model wants it; not empty
  int64_t max_tokens = 256;     // fewer where the context ends before
  SamplingParams sampling;
  std::vector<int32_t> stop_ids;  // end the answer and are no part of it
  std::vector<std::string> stop;  // end the answer and are cut from its text
  int64_t logprobs = -1;          // -1: none; else how many alternatives beside the token itself, at most 20
  bool prompt_logprobs = false;   // those of the prompt too, with as many alternatives; computes all of it
  bool experts = false;           // say which experts each token came from
  bool mtp = true;                // let the model's MTP module draft; changes speed alone
  std::shared_ptr<TokenConstraint> constraint;
};

enum class FinishReason { stop, length, cancelled, error };
// "stop", "length", "cancelled", "error".
const char* name_of(FinishReason reason);

struct TokenEvent {
  int32_t token;
  std::span<const TextPiece> text;  // what became certain with it: nothing, or more than this token's text
  const Logprobs* logprobs;         // null unless asked for
  // Of the row that gave the token: [expert_layers(), K]; empty unless asked for.
  std::span<const int32_t> experts = {};
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of the prompt, found in the cache
  int64_t completion_tokens = 0;
  // MTP drafts for tokens of the answer, and how many the main model confirmed.
  int64_t drafted = 0, accepted = 0;
  bool mtp = false;        // whether a module was asked for drafts
  bool mtp_ended = false;  // the engine stopped asking: drafts cost more than they brought
};

struct Outcome {
  FinishReason reason = FinishReason::stop;
  std::optional<Error> error;       // with FinishReason::error
  std::string stop_string;          // the one that ended the answer, if one did
  std::span<const TextPiece> text;  // what was still held back
  Usage usage;
  double queue_s = 0, prefill_s = 0, decode_s = 0;  // waiting; until the first token; from there to the end
};

// Told from the engine's thread, in this order, finish once and last; the spans are valid during the call.
// May call submit() and cancel(), must not block or throw.
class RequestListener {
 public:
  virtual ~RequestListener() = default;
  // `done` of the prompt's tokens are computed.
  virtual void on_progress(int64_t /*done*/, int64_t /*total*/) {}
  // Of the prompt's token number `position`, from 1 on in order; before the first on_token.
  virtual void on_prompt_logprobs(int64_t /*position*/, const Logprobs& /*logprobs*/) {}
  virtual void on_token(const TokenEvent& event) = 0;
  virtual void on_finish(const Outcome& outcome) = 0;
};

}  // namespace fathom::infer
