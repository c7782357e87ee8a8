// Which experts the rows of a step were sent to.
#pragma once

#include <atomic>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "model/config.h"
#include "model/step.h"

namespace fathom::infer {

// The layers of the main model that route, in order; empty: none.
std::vector<int64_t> expert_layers(const model::Config& config);

// Watches the main model's steps. loads() from any thread, the rest from the engine's; allocates nothing
// after construction.
class ExpertRecord : public model::Observer {
 public:
  ExpertRecord(const model::Config& config, int64_t max_rows);

  void routed(int64_t layer, Mat<const float> logits, Mat<const int32_t> index,
              Mat<const float> weight) override;

  // Of a row of the last step: [layers, K], most wanted expert first. Empty on a model without experts.
  std::span<const int32_t> of_row(int64_t row) const;
  // Experts that some row of the last step was sent to, summed over the layers.
  int64_t touched() const { return std::accumulate(touched_.begin(), touched_.end(), int64_t{0}); }
  // Rows that each expert got since the start: [layers, E].
  std::vector<uint64_t> loads() const;

 private:
  int64_t slot_of(int64_t layer) const { return slots_[static_cast<size_t>(layer)]; }

  std::vector<int64_t> slots_;  // by layer; -1: does not route
  int64_t layers_ = 0, top_k_, experts_;
  std::vector<int64_t> touched_;              // [layers]
  std::vector<bool> seen_;                    // [E], of the layer at hand
  std::vector<int32_t> chosen_;               // [rows, layers, K]
  std::vector<std::atomic<uint64_t>> loads_;  // [layers, E]
};

}  // namespace fathom::infer
