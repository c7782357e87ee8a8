// What a model directory says about drawing tokens and ending answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "infer/sampling_params.h"

namespace fathom::infer {

struct GenerationConfig {
  SamplingParams sampling;        // temperature 0 unless the file asks to sample
  std::vector<int32_t> stop_ids;  // ends of sequence, sorted, of this file alone
};

// Interprets a generation_config.json as transformers does: without do_sample the answer is greedy. Unknown
// keys are ignored. `where` names the file in errors; ids must be below `vocab`.
Result<GenerationConfig> parse_generation_config(std::string_view text, int64_t vocab,
                                                 const std::string& where);

// The file of a model directory (or what its absence means), with the ends of sequence of config.json added.
Result<GenerationConfig> generation_config_of(const std::optional<std::string>& text,
                                              const std::vector<int64_t>& config_eos, int64_t vocab,
                                              const std::string& where);

}  // namespace fathom::infer
