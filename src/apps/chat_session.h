// A conversation at the terminal: what was said, and answers as they stream.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/loaded_model.h"
#include "infer/engine.h"
#include "text/output_parser.h"

namespace fathom::apps {

struct ChatSettings {
  bool think = false;
  bool stats = false;      // tell speed and drafts after every answer
  int64_t max_tokens = 0;  // 0: to the end of the context
  infer::SamplingParams sampling;
};

// One thread. Model and engine outlive it; nobody else steps the engine.
class ChatSession {
 public:
  // `colour`: the screen understands escape sequences.
  ChatSession(const LoadedModel& model, infer::Engine& engine, ChatSettings settings, bool colour);

  ChatSettings settings;

  void set_system(const std::string& text);  // empty: none
  // Asks and streams the answer to standard output. Ctrl-C ends the answer; what came is kept. A question
  // that does not fit is taken back. Throws Exception.
  void ask(const std::string& text);
  // Answers the last question again, with other random numbers. False when there is none.
  bool retry();
  void forget();
  // Writes the conversation as JSON. Throws Exception.
  void save(const std::string& path) const;
  // Speed and drafts of the last answer.
  std::string stats_line() const;
  const nlohmann::ordered_json& messages() const { return messages_; }

 private:
  void answer();
  std::vector<int32_t> prompt(text::OutputSyntax& syntax) const;

  const LoadedModel& model_;
  infer::Engine& engine_;
  text::ChatFormat format_;
  bool colour_;
  nlohmann::ordered_json messages_ = nlohmann::ordered_json::array();
  uint64_t turn_ = 0;
  std::optional<infer::Outcome> last_;
};

}  // namespace fathom::apps
