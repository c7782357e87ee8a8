#include "infer/logprobs.h"

#include <algorithm>
#include <cmath>

namespace fathom::infer {

Logprobs logprobs_of(std::span<const float> logits, int32_t token, int64_t count) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (float x : logits) total += std::exp(x - largest);
  const double shift = static_cast<double>(largest) + std::log(total);
  const auto of = [&](int32_t t) {
    return TokenLogprob{t, static_cast<float>(logits[static_cast<size_t>(t)] - shift)};
  };
  Logprobs out{of(token), {}};
  const auto before = [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  // A heap of the best so far, the worst of them in front.
  std::vector<int32_t> best;
  for (int32_t t = 0; count > 0 && t < static_cast<int32_t>(logits.size()); ++t) {
    if (static_cast<int64_t>(best.size()) == count) {
      if (!before(t, best.front())) continue;
      std::pop_heap(best.begin(), best.end(), before);
      best.pop_back();
    }
    best.push_back(t);
    std::push_heap(best.begin(), best.end(), before);
  }
  std::sort_heap(best.begin(), best.end(), before);
  for (int32_t t : best) out.top.push_back(of(t));
  return out;
}

}  // namespace fathom::infer
