// An answer as it arrives from the engine, and who turns it into an API's words.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "infer/logprobs.h"
#include "server/errors.h"
#include "text/output_parser.h"

namespace fathom::server {

// A token of an answer, valid during the call.
struct AnswerToken {
  int32_t id = 0;
  bool thought = false;
  bool special = false;                       // an added token that structures the answer
  const infer::Logprobs* logprobs = nullptr;  // null unless asked for
  std::span<const int32_t> experts;           // [MoE layers, K]; empty unless asked for
};

// What one token brought: the text that became certain with it may be none, or more than its own.
struct AnswerUpdate {
  size_t choice = 0;
  std::span<const text::OutputEvent> events;
  const AnswerToken* token = nullptr;  // null: text that was held back until the end
};

enum class Finish { kStop, kLength, kToolCalls };

// Tokens of all choices of a request together, the prompt once.
struct AnswerUsage {
  int64_t prompt_tokens = 0, cached_tokens = 0;
  int64_t completion_tokens = 0, reasoning_tokens = 0;
  int64_t drafted = 0, accepted = 0;
  bool mtp = false;
  double queue_s = 0, prefill_s = 0, decode_s = 0;  // of the choice that took longest
};

struct ChoiceEnd {
  size_t choice = 0;
  Finish finish = Finish::kStop;
  std::string stop_string;             // the one that ended it
  const AnswerUsage* total = nullptr;  // with the choice that ends last
};

// Told from the engine's thread, one call at a time; must not block or throw.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  // A token of the prompt, in order and before the choice's first update, if asked for; `logprobs` null: the
  // first one.
  virtual void on_prompt_token(size_t /*choice*/, int32_t /*id*/, const infer::Logprobs* /*logprobs*/) {}
  // False: the client is gone.
  virtual bool on_update(const AnswerUpdate& update) = 0;
  // After a choice's last update. With `total` the answer is complete.
  virtual void on_choice_end(const ChoiceEnd& end) = 0;
  // Instead of all that has not been told yet.
  virtual void on_failure(const Refusal& refusal) = 0;
  // The request was given up; nobody waits for an answer.
  virtual void on_cancelled() = 0;
};

}  // namespace fathom::server
