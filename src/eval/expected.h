// A file of reference vectors: input ids and what a model must compute from them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/safetensors.h"
#include "model/config.h"

namespace fathom::eval {

// What a key holds. `index` is the layer of hidden and experts, the module of MTP logits.
enum class Content : uint8_t { logits, logits_act_quant, hidden, mtp_logits, mtp_logits_prenorm, experts, weights, greedy };

struct ExpectedKey {
  std::string name;
  Content content;
  int64_t index = 0;
  const io::TensorInfo* tensor = nullptr;
};

// Move-only. Every key is known, typed and shaped as the configuration asks.
class Expected {
 public:
  // Throws Exception naming file and key.
  Expected(const std::string& path, const model::Config& config);

  int64_t sequences() const { return sequences_; }
  int64_t tokens() const { return tokens_; }  // of a sequence
  const std::vector<int32_t>& input(int64_t sequence) const { return inputs_[static_cast<size_t>(sequence)]; }
  const std::vector<int32_t>& greedy() const { return greedy_; }
  const std::vector<ExpectedKey>& keys() const { return keys_; }
  const ExpectedKey* find(Content content, int64_t index) const;
  const io::SafetensorsFile& file() const { return file_; }
  // Values of one sequence of a [B, ...] tensor.
  template <class T>
  std::span<const T> values(const ExpectedKey& key, int64_t sequence) const {
    const size_t each = static_cast<size_t>(key.tensor->shape.elements() / sequences_);
    return {file_.data_as<T>(*key.tensor) + static_cast<size_t>(sequence) * each, each};
  }

 private:
  ExpectedKey classify(const io::TensorInfo& tensor, const model::Config& config) const;
  void read_ids(const model::Config& config);

  io::SafetensorsFile file_;
  int64_t sequences_ = 0, tokens_ = 0;
  std::vector<std::vector<int32_t>> inputs_;
  std::vector<int32_t> greedy_;
  std::vector<ExpectedKey> keys_;
};

}  // namespace fathom::eval
