// What is asked for, whichever API asked: the parsers' common result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace fathom::server {

inline constexpr int64_t kMostStops = 16;
inline constexpr int64_t kMostTools = 128;
inline constexpr int64_t kMostChoices = 128;
inline constexpr int64_t kMostAlternatives = 20;

// Absent: the model's own, or off.
struct SamplingFields {
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k, seed;
  double presence_penalty = 0, frequency_penalty = 0;
  std::vector<std::pair<int64_t, double>> logit_bias;
};

// What every generating request has.
struct CommonFields {
  std::string model;
  SamplingFields sampling;
  std::vector<std::string> stop;
  std::optional<int64_t> max_tokens;
  int64_t n = 1;
  int64_t logprobs = -1;  // -1: none; else the number of alternatives
  bool stream = false;
  bool include_usage = false;  // as a chunk of its own at the end of a stream
  bool experts = false;        // name the experts that each token used
};

struct Tool {
  std::string name, description;
  OrderedJson parameters;  // a JSON schema, or null: none
  bool strict = false;
};

struct ToolChoice {
  enum class Mode { kNone, kAuto, kRequired, kNamed };
  Mode mode = Mode::kNone;
  std::string name;  // kNamed
};

struct ResponseFormat {
  enum class Kind { kText, kJsonObject, kJsonSchema };
  Kind kind = Kind::kText;
  bool strict = false;
  OrderedJson schema;
  std::string schema_path;  // where the schema stood in the request, for messages
};

struct ChatRequest : CommonFields {
  OrderedJson messages;  // the chat API's, each content a string: [{role, content, tool_calls?, ...}]
  std::vector<Tool> tools;
  std::string tools_path = "tools";  // for messages: "tools[0].function.parameters"
  std::string parameters_key = "function.parameters";
  ToolChoice tool_choice;
  bool parallel_calls = true;  // an answer may make several
  ResponseFormat format;
  std::optional<bool> thinking;            // absent: as the name of the model says
  std::optional<int64_t> thinking_tokens;  // at most so many tokens of thoughts
  bool open_end = false;                   // go on with the last message, an assistant's
  bool model_must_exist = true;            // else other names mean the one there is
};

struct CompletionRequest : CommonFields {
  using Prompt = std::variant<std::string, std::vector<int32_t>>;
  std::vector<Prompt> prompts;
  std::optional<std::string> suffix;  // fill in what stands before it
  bool echo = false;
};

}  // namespace fathom::server
