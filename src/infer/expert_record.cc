#include "infer/expert_record.h"

#include <algorithm>

namespace fathom::infer {

std::vector<int64_t> expert_layers(const model::Config& c) {
  std::vector<int64_t> layers;
  for (int64_t l = 0; l < c.num_hidden_layers; ++l)
    if (c.is_moe(l)) layers.push_back(l);
  return layers;
}

ExpertRecord::ExpertRecord(const model::Config& c, int64_t max_rows)
    : slots_(static_cast<size_t>(c.num_hidden_layers), -1),
      top_k_(c.num_experts_per_tok),
      experts_(c.n_routed_experts) {
  for (const int64_t layer : expert_layers(c)) slots_[static_cast<size_t>(layer)] = layers_++;
  touched_.resize(static_cast<size_t>(layers_));
  seen_.resize(static_cast<size_t>(experts_));
  chosen_.resize(static_cast<size_t>(max_rows * layers_ * top_k_));
  loads_ = std::vector<std::atomic<uint64_t>>(static_cast<size_t>(layers_ * experts_));
}

void ExpertRecord::routed(int64_t layer, Mat<const float>, Mat<const int32_t> index, Mat<const float>) {
  const int64_t slot = slot_of(layer);
  seen_.assign(seen_.size(), false);
  for (int64_t r = 0; r < index.rows; ++r) {
    std::copy_n(index.row(r), top_k_, &chosen_[static_cast<size_t>((r * layers_ + slot) * top_k_)]);
    for (int64_t k = 0; k < top_k_; ++k) {
      seen_[static_cast<size_t>(index.row(r)[k])] = true;
      loads_[static_cast<size_t>(slot * experts_ + index.row(r)[k])].fetch_add(1, std::memory_order_relaxed);
    }
  }
  touched_[static_cast<size_t>(slot)] = std::count(seen_.begin(), seen_.end(), true);
}

std::span<const int32_t> ExpertRecord::of_row(int64_t row) const {
  const auto width = static_cast<size_t>(layers_ * top_k_);
  return std::span(chosen_).subspan(static_cast<size_t>(row) * width, width);
}

std::vector<uint64_t> ExpertRecord::loads() const {
  std::vector<uint64_t> out;
  out.reserve(loads_.size());
  for (const auto& load : loads_) out.push_back(load.load(std::memory_order_relaxed));
  return out;
}

}  // namespace fathom::infer
