#include "model/checkpoint_files.h"

#include "base/json.h"

namespace fathom::model {
namespace {

constexpr int kIndent = 2;

OrderedJson official_quantization() {
  return {{"activation_scheme", "dynamic"},
          {"fmt", "e4m3"},
          {"quant_method", "fp8"},
          {"weight_block_size", {kScaleBlock, kScaleBlock}}};
}

}  // namespace

std::string config_text_for(std::string_view config_text, CheckpointType type, const std::string& where) {
  const Config config = parse_config(config_text, where).value();
  OrderedJson document =
      parse_ordered_json(config_text, where, {.depth = 32, .bytes = size_t{1} << 20}).value();
  // Newer files call it "dtype".
  const char* key = document.contains("dtype") && !document.contains("torch_dtype") ? "dtype" : "torch_dtype";
  document[key] = type == CheckpointType::f32 ? "float32" : "bfloat16";
  if (type != CheckpointType::fp8)
    document.erase("quantization_config");
  else if (!config.fp8_weights)
    document["quantization_config"] = official_quantization();
  return document.dump(kIndent) + "\n";
}

std::string generation_config_text(const Config& config) {
  OrderedJson document = {{"_from_model_config", true}, {"bos_token_id", config.bos_token_id}};
  if (config.eos_token_ids.size() == 1)
    document["eos_token_id"] = config.eos_token_ids[0];
  else if (!config.eos_token_ids.empty())
    document["eos_token_id"] = config.eos_token_ids;
  document["do_sample"] = true;
  document["temperature"] = 0.6;
  document["top_p"] = 0.95;
  return document.dump(kIndent) + "\n";
}

}  // namespace fathom::model
