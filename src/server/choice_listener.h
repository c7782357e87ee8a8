// One answer of a Generation, between the engine and the sink.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "infer/stop_filter.h"
#include "server/generation.h"

namespace fathom::server {

// All calls from the engine's thread. Holds its Generation until the engine lets go of it.
class ChoiceListener : public infer::RequestListener {
 public:
  ChoiceListener(std::shared_ptr<Generation> generation, size_t choice, ChoicePlan plan);

  void on_prompt_logprobs(int64_t position, const infer::Logprobs& logprobs) override;
  void on_token(const infer::TokenEvent& event) override;
  void on_finish(const infer::Outcome& outcome) override;

 private:
  void take_token(const infer::TokenEvent& event);
  void take_end(const infer::Outcome& outcome);
  void parse(std::span<const infer::TextPiece> pieces);
  void cut_at_stops(bool at_end);
  // Whether the token is part of the thoughts; follows their markers.
  bool note_thought(int32_t token);
  void observe_time();

  std::shared_ptr<Generation> generation_;
  size_t choice_;
  ChoicePlan plan_;
  std::optional<text::OutputParser> parser_;
  std::optional<infer::StopFilter> stops_;
  std::vector<text::OutputEvent> events_, kept_;
  std::vector<infer::TextPiece> released_;
  bool thinking_ = false;
  bool ended_ = false;  // by ourselves; what the engine still says is not part of the answer
  Stopwatch since_token_;
  int64_t tokens_ = 0, thoughts_ = 0;
};

}  // namespace fathom::server
