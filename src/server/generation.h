// Runs what one HTTP request asks of the engine: one or several answers, taken apart and told to a sink.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "infer/engine.h"
#include "server/answer.h"
#include "server/metrics.h"
#include "text/output_parser.h"

namespace fathom::server {

struct ChoicePlan {
  infer::Request request;
  std::optional<text::OutputSyntax> syntax;  // absent: all text is the answer
  // Tokens that open and close thoughts, where the tokenizer has them.
  std::optional<int32_t> think_begin, think_end;
  std::vector<std::string> answer_stops;  // end the answer, but are not looked for in thoughts
  std::vector<int32_t> shown_ends;        // end the answer too, but their token is told as one of it
  std::optional<int32_t>
      first_token;              // of the prompt, told with no logprobs; its others come from the engine
  bool first_of_prompt = true;  // its prompt counts in the usage
  bool discard = false;         // of the answer only the prompt's figures are wanted
};

class Generation : public std::enable_shared_from_this<Generation> {
 public:
  // Submits all choices. Throws Refusal or Exception if one can never run; the sink is then not told
  // anything. `engine`, `metrics` and what the sink uses outlive the requests.
  static std::shared_ptr<Generation> start(infer::Engine& engine, const text::Tokenizer& tokenizer,
                                           Metrics& metrics, std::vector<ChoicePlan> plans,
                                           std::unique_ptr<AnswerSink> sink);

  // The client is gone: everything ends before the next step. Any thread.
  void cancel();

 private:
  friend class ChoiceListener;
  Generation(infer::Engine& engine, const text::Tokenizer& tokenizer, Metrics& metrics, size_t choices,
             std::unique_ptr<AnswerSink> sink);

  // From the engine's thread.
  void prompt_token(size_t choice, const infer::Logprobs& logprobs);
  void update(const AnswerUpdate& update);
  void cancel_choice(size_t choice);
  void end_choice(ChoiceEnd end, const infer::Outcome& outcome, const ChoicePlan& plan, int64_t tokens,
                  int64_t thoughts);
  void fail(const Refusal& refusal);
  void end_cancelled();

  infer::Engine& engine_;
  const text::Tokenizer& tokenizer_;
  Metrics& metrics_;
  std::unique_ptr<AnswerSink> sink_;
  Stopwatch since_start_;
  AnswerUsage usage_;
  size_t left_;
  bool told_end_ = false;

  std::mutex mutex_;  // guards what follows
  std::vector<infer::RequestId> ids_;
  std::vector<size_t> late_cancels_;  // choices that ended before their id was known
  bool cancelled_ = false;
  std::atomic<bool> abandoned_{false};  // start() failed
};

}  // namespace fathom::server
