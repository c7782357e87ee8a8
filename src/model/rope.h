// Frequencies and softmax scale of the rotary embedding, with YaRN.
#pragma once

#include <vector>

#include "model/config.h"

namespace fathom::model {

struct RopeConstants {
  std::vector<double> frequencies;  // [rope / 2], radians a position
  double factor = 1;                // on cosine and sine
  float softmax_scale = 1;          // 1 / sqrt(nope + rope), times YaRN's m^2
};

// YaRN is applied whatever the length of the prompt: released weights were trained with it (specification 3.4).
RopeConstants rope_constants(const Config& config);

}  // namespace fathom::model
