// Random weights for any configuration of the family, written as a model directory in the official layout.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "model/checkpoint_files.h"
#include "model/config.h"

namespace fathom::model {

struct RandomCheckpointOptions {
  uint64_t seed = 0;
  CheckpointType type = CheckpointType::fp8;
  // Written beside the weights: file name and text (config.json, tokenizer.json, ...).
  std::vector<std::pair<std::string, std::string>> files = {};
  uint64_t max_shard_bytes = uint64_t{5} << 30;
  const std::atomic<bool>* cancelled = nullptr;  // when it becomes true, the work ends with an Exception
  std::function<void(uint64_t bytes)> on_written = {};  // after every piece, from the calling thread
};

// Bytes of all tensors; UINT64_MAX stands for that and more.
uint64_t checkpoint_bytes(const Config& config, CheckpointType type);

// Writes `directory`, which must not exist or be empty. Matrices are normal with deviation initializer_range,
// norms 1, router biases 0, an MTP module's embedding and head equal the main model's. A value depends on
// seed, tensor name and index alone, and is then rounded to the type; so neither threads nor the type change
// the model. Holds some 100 MB, or 256 rows of the widest matrix. Throws Exception (also when cancelled) and
// then leaves nothing behind.
void write_random_checkpoint(const Config& config, const std::string& directory,
                             const RandomCheckpointOptions& options, ThreadPool& pool);

}  // namespace fathom::model
