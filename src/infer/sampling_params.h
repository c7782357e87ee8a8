// How a request wants its tokens drawn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace fathom::infer {

struct LogitBias {
  int32_t token = 0;
  float value = 0;
};

// Applied in this order: bias, the three penalties, masks, temperature, top-k, top-p, min-p.
struct SamplingParams {
  double temperature = 1;  // 0: the most likely token
  int64_t top_k = 0;       // 0: off
  double top_p = 1;        // 1: off
  double min_p = 0;        // 0: off
  double repetition_penalty =
      1;                        // divides positive and multiplies negative logits of prompt and answer tokens
  double presence_penalty = 0;  // subtracted once for every token the answer holds
  double frequency_penalty = 0;  // subtracted for each time the answer holds it
  std::vector<LogitBias> logit_bias;
  uint64_t seed = 0;

  bool has_penalties() const {
    return repetition_penalty != 1 || presence_penalty != 0 || frequency_penalty != 0;
  }
};

// Ranges of every value. The Error's key is the JSON name of the option; `where` names the request.
Status check_sampling(const SamplingParams& params, int64_t vocab, const std::string& where);

}  // namespace fathom::infer
