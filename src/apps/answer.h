// Collects one answer of the engine and prints it as `generate` does.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "infer/request.h"

namespace fathom::apps {

class Answer final : public infer::RequestListener {
 public:
  // Called with every new piece of text, for streaming.
  std::function<void(const std::string&)> on_text;
  std::function<void(int64_t done, int64_t total)> on_prompt;

  void on_progress(int64_t done, int64_t total) override;
  void on_token(const infer::TokenEvent& event) override;
  void on_finish(const infer::Outcome& outcome) override;

  bool done() const { return done_; }
  const infer::Outcome& outcome() const { return outcome_; }  // its spans are empty
  const std::string& text() const { return text_; }
  const std::vector<int32_t>& ids() const { return ids_; }

  // The object of `generate --json`, or {"error": ...}.
  nlohmann::ordered_json json(double load_s) const;

 private:
  void take(std::span<const infer::TextPiece> pieces);

  std::string text_;
  std::vector<int32_t> ids_;
  std::vector<infer::Logprobs> logprobs_;
  infer::Outcome outcome_;
  bool done_ = false;
};

}  // namespace fathom::apps
