// What `generate` is asked, from flags or from a line of JSON, and its translation for the engine.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/loaded_model.h"
#include "apps/sampling_options.h"
#include "infer/request.h"

namespace fathom::apps {

struct GenerateRequest {
  // Exactly one of these; `suffix` belongs to `prompt`.
  std::optional<std::string> prompt, chat;
  std::optional<std::vector<int32_t>> ids;
  nlohmann::ordered_json messages;  // null: none
  std::optional<std::string> suffix;

  std::optional<bool> thinking;
  nlohmann::ordered_json tools;  // null: none
  int64_t max_tokens = 256;
  SamplingOptions sampling;
  std::vector<infer::LogitBias> logit_bias;
  std::vector<std::string> stop;
  uint64_t seed = 0;
  int64_t logprobs = -1;
  bool ignore_eos = false, mtp = true;
};

// One line of `generate --jsonl`; keys it does not know are passed over. Throws Exception with the key.
GenerateRequest parse_generate_line(const std::string& line);

// "5 6 7", "[5, 6, 7]". Throws Exception naming --ids.
std::vector<int32_t> parse_id_list(const std::string& text);
// "ID:VALUE". Throws Exception naming --logit-bias.
infer::LogitBias parse_logit_bias(const std::string& text);

// Renders and encodes. Throws Exception naming the field.
infer::Request engine_request(const LoadedModel& model, const GenerateRequest& request);

}  // namespace fathom::apps
