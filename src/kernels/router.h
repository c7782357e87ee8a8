// Group-limited top-k routing with a selection bias (report eq. 12 to 16; auxiliary-loss-free balancing).
#pragma once

#include <cstdint>
#include <span>

#include "tensor/context.h"
#include "tensor/mat.h"

namespace fathom::kernels {

// For each row: score = sigmoid(logit); choice = score + bias. A group's score is the sum of its two largest choices;
// the best `groups_kept` groups stay; among their experts the `index.cols` largest choices are taken. Weights are the
// scores without bias, divided by their sum (+ 1e-20) if `normalize`, times `scaling`. Equal values: the lower index
// first. Experts come in falling order of choice. All FP32.
struct Router {
  Mat<const float> logits;      // [T, E]
  std::span<const float> bias;  // [E]
  int64_t groups = 1, groups_kept = 1;
  bool normalize = true;
  float scaling = 1;
  Mat<int32_t> index;           // [T, K]
  Mat<float> weight;            // [T, K]
};
void router(const Context& ctx, const Router& op);

namespace ref { void router(const Context& ctx, const Router& op); }
namespace cpu { void router(const Context& ctx, const Router& op); }
namespace cuda { void router(const Context& ctx, const Router& op); }

}  // namespace fathom::kernels
