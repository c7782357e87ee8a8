// Small models of the family for tests that need a whole directory.
#pragma once

#include <cstdint>
#include <string>

#include "model/checkpoint_files.h"

namespace fathom::test {

// config.json of a model with every part: dense and MoE layers, groups, a shared expert, an MTP module, YaRN;
// no width a multiple of 128.
std::string tiny_config_text();

// Random weights for it in DIRECTORY, without a tokenizer; `max_shard_bytes` below the size gives several
// files.
void write_tiny_model(const std::string& directory, model::CheckpointType type = model::CheckpointType::fp8,
                      uint64_t max_shard_bytes = uint64_t{1} << 30);

}  // namespace fathom::test
