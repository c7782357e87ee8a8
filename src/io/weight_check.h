// Reads every byte of a model's weights and looks for values that cannot be.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "io/model_directory.h"

namespace fathom::io {

struct DamagedTensor {
  std::string file, tensor;
  std::string problem;  // "3 values are NaN or infinite", "cannot be read: Input/output error"
};

struct WeightCheckOptions {
  const std::atomic<bool>* cancelled = nullptr;      // when true, the rest is left unread
  std::function<void(uint64_t bytes)> on_read = {};  // from any thread
};

// The tensors with a NaN (E4M3), or a NaN or infinite value (F32, BF16, F16: block scales among them), or
// that the disk does not give; in order of files and offsets. Reads through the file system in order of the
// files, not through the mappings, so that a failing disk is an answer and not a signal. Holds a few MB a
// thread.
std::vector<DamagedTensor> check_weights(const ModelDirectory& directory, ThreadPool& pool,
                                         const WeightCheckOptions& options = {});

}  // namespace fathom::io
