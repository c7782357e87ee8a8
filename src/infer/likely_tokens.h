// The most likely tokens of a vocabulary: sums over them, and where such a sum reaches a goal.
//
// Tokens are ordered by falling logit, equal ones by rising id. Top-k, top-p and min-p each keep a beginning
// of this order, so what they leave is told by its last token. Arrays of the vocabulary are padded to whole
// blocks of 64 with -inf (logits) and 0 (weights).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace fathom::infer {

inline constexpr int64_t kTokenBlock = 64;
inline constexpr float kNever = -std::numeric_limits<float>::infinity();

// The last token that is kept.
struct Cut {
  float logit = kNever;
  int32_t token = std::numeric_limits<int32_t>::max();
};

// Copies the model's logits and pads them. False when one is NaN or infinite.
bool copy_finite(std::span<const float> from, std::span<float> to);

struct LogitRange {
  float least, largest;  // of those above -inf; both -inf when there is none
  int32_t best;          // the first token with the largest; -1 when there is none
  int64_t count;         // how many there are
};
LogitRange range_of(std::span<const float> logits);

// weights[t] = exp((logits[t] - largest) / temperature), 0 where that is below 1e-38.
void weights_of(std::span<const float> logits, float largest, double temperature, std::span<float> weights);

// Their sum, in a fixed order.
double sum_of(std::span<const float> weights);

// Makes the logits of tokens behind `cut` -inf.
void apply_cut(std::span<float> logits, const Cut& cut);

// Finds cuts. Holds working memory for one vocabulary; allocates nothing after construction.
class CutFinder {
 public:
  explicit CutFinder(int64_t vocab) : keys_(static_cast<size_t>(vocab)) {}

  // The last of the `count` most likely tokens.
  Cut first_tokens(std::span<const float> logits, const LogitRange& range, int64_t count);
  // The token with which the sum of weights reaches `goal`; the last one of all when none does.
  Cut reaching(std::span<const float> logits, std::span<const float> weights, const LogitRange& range,
               double goal);

 private:
  template <class Weights>
  Cut find(std::span<const float> logits, const LogitRange& range, double goal, const Weights& weights);

  struct Key {
    float logit;
    int32_t token;
  };
  std::vector<Key> keys_;
};

}  // namespace fathom::infer
