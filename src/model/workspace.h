// Memory for the activations of one step, allocated once; a step allocates nothing.
#pragma once

#include <vector>

#include "kernels/linear.h"
#include "model/config.h"
#include "model/parameters.h"
#include "tensor/buffer.h"
#include "tensor/mat.h"

namespace fathom::model {

// An expert that some row chose, and where its weights are now.
struct ChosenExpert {
  int32_t expert;
  const FfnParameters* weights;
};

// A router has few outputs: what threads share is its rows, this many at a time.
inline constexpr int64_t kRouterRows = 32;

// For up to `max_rows` rows. One step at a time. Pages that a small step does not touch cost nothing.
class Workspace {
 public:
  Workspace(const Config& config, int64_t max_rows);

  int64_t max_rows() const { return max_rows_; }
  static size_t bytes_needed(const Config& config, int64_t max_rows);

  // All matrices have max_rows rows (slots: max_rows * K); a step uses the first of them.
  Mat<float> hidden;                                  // [T, H] the residual stream
  Mat<float> normed;                                  // [T, H]
  Mat<float> quantized;                               // [T, widest linear input], what act-quant leaves of it
  Mat<float> cos, sin;                                // [T, rope / 2]
  Mat<float> q_latent_in;                             // [T, q_lora]
  Mat<float> q;                                       // [T, N * (nope + rope)]
  Mat<float> kv;                                      // [T, R + rope]
  Mat<float> latent;                                  // [T, R]
  Mat<float> q_latent, o_latent;                      // [T, N * R]
  Mat<float> attention;                               // [T, N * v]
  Mat<float> gate, up;                                // [T, widest dense or shared FFN]
  Mat<float> shared;                                  // [T, H]
  Mat<float> router_logits;                           // [T, E]
  Mat<int32_t> index, slot;                           // [T, K]
  Mat<float> weight;                                  // [T, K]
  Mat<float> routed_gate, routed_up;                  // [T * K, I]
  Mat<float> routed_quantized;                        // [T * K, I]
  Mat<float> routed;                                  // [T * K, H]
  std::vector<int32_t> offset;                        // [E + 1]
  std::vector<int32_t> slot_row;                      // [T * K]
  Mat<float> mtp_input;                               // [T, 2 H]
  std::vector<ChosenExpert> chosen;                   // capacity for all experts of a layer
  std::vector<int32_t> few_positions, few_sequences;  // [T]
  std::vector<kernels::LinearTask> tasks;             // capacity for the largest group

 private:
  int64_t max_rows_;
  Arena arena_;
};

}  // namespace fathom::model
