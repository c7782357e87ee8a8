// The small files beside a checkpoint's weights.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/config.h"

namespace fathom::model {

// In which types a checkpoint is stored.
enum class CheckpointType : uint8_t {
  fp8,   // projections in E4M3 with 128x128 scales, the rest BF16, router biases F32: the official files
  bf16,  // router biases F32
  f32,
};

// `config_text` with what says how the weights are stored ("torch_dtype", "quantization_config") made to fit
// `type`; the rest, order included, as it was. `where` names the source in errors. REQUIRES: parse_config
// accepts the text; throws what it would return.
std::string config_text_for(std::string_view config_text, CheckpointType type, const std::string& where);

// generation_config.json with the sampling that DeepSeek recommends.
std::string generation_config_text(const Config& config);

}  // namespace fathom::model
