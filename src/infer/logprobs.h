// Log-probabilities of the model itself, before bias, penalties and cuts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fathom::infer {

struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;  // natural logarithm
};

// Of `token` and of the `count` most likely (ties: lowest id first), most likely first, from logits [V].
struct Logprobs {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;
};
Logprobs logprobs_of(std::span<const float> logits, int32_t token, int64_t count);

}  // namespace fathom::infer
