// What `fathom info` tells about a model directory and the machine it lies on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "io/weight_check.h"
#include "model/model.h"
#include "model/residency.h"
#include "text/tokenizer.h"

namespace fathom::apps {

inline constexpr int64_t kFastBytes = 2, kFaithfulBytes = 4;  // of one value in the latent cache

struct ModelFacts {
  struct Total {
    int64_t count = 0;
    uint64_t bytes = 0;
  };
  struct CheckResult {
    uint64_t bytes = 0;
    double seconds = 0;
    std::vector<io::DamagedTensor> damaged;
  };

  model::Model model;
  model::ParameterCount parameters;
  std::map<std::string, Total> tensors;  // by type, those that this program cannot use too
  Total tensor_total;
  uint64_t file_bytes = 0;
  model::WeightBytes weights;
  std::optional<text::Tokenizer> tokenizer;
  std::string tokenizer_missing;  // why there is none
  std::string chat_format;        // its name; empty: chat_unknown says why
  std::string chat_unknown;
  uint64_t available_memory = 0;
  uint64_t beside_weights = 0;     // of that, what answering one request at a time takes
  model::ResidencyPlan residency;  // with the rest
  std::optional<double>
      disk_rate;     // bytes a second, measured when experts are to be read; absent: not measurable
  std::string isas;  // "avx512, avx2", the best first
  int threads = 0;
  std::string threads_reason;
  double seconds = 0;  // to open all this
  std::optional<CheckResult> check;

  int64_t cache_bytes(int64_t layers, int64_t bytes_a_value) const {
    return layers * model.config.latent_width() * bytes_a_value;
  }
  int64_t moe_layers() const;
  // Experts are read from the disk: tokens a second that it allows for when all are chosen equally often.
  double disk_tokens_per_second() const {
    return disk_rate.value_or(kAssumedDiskRate) / std::max(1.0, residency.disk_bytes_token);
  }
  static constexpr double kAssumedDiskRate = 1e9;
};

// Opens everything, the tokenizer beside the weights. Throws Exception for whatever is broken; a directory
// without a tokenizer, or with a template nobody knows, is not.
ModelFacts gather_facts(const std::string& directory);

OrderedJson facts_json(const ModelFacts& facts);
// A page of at most 100 columns.
std::string facts_text(const ModelFacts& facts);

}  // namespace fathom::apps
