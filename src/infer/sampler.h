// Draws the token of one position from its logits, exactly and repeatably.
//
// token = argmax over what the settings leave of (logit / temperature + Gumbel noise of (seed, position,
// token)). That is a sample of the filtered softmax, and a function of the logits, the settings and the
// position alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/sampling_params.h"
#include "infer/token_bits.h"
#include "infer/token_history.h"

namespace fathom::infer {

struct Draw {
  std::span<const float> logits;  // [V], the model's own
  const SamplingParams& params;
  const TokenHistory& history;           // read only with penalties
  std::span<const uint64_t> existing;    // ids that a token has; empty: all
  std::span<const uint64_t> constraint;  // what a grammar leaves; empty: everything
  int64_t position;                      // of the token to draw, absolute in its sequence
};

// Holds working memory for one vocabulary; allocates nothing after construction. One thread at a time.
class Sampler {
 public:
  explicit Sampler(int64_t vocab);

  // Throws Exception when logits are NaN or infinite, or when the masks leave no token.
  int32_t draw(const Draw& draw);

 private:
  struct Candidate {
    float logit;
    int32_t token;
  };
  static bool before(const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  }
  void adjust(const Draw& draw);
  void mask(std::span<const uint64_t> allowed);
  int32_t most_likely() const;
  int32_t draw_from_all(const Draw& draw, int32_t best) const;
  void gather(float least);
  static double weight(const SamplingParams& params, float logit, float largest);
  void keep_top_k(int64_t k);
  void collect(const SamplingParams& params, float largest);
  void keep_top_p(const SamplingParams& params, float largest, double total);
  int32_t draw_from_candidates(const Draw& draw) const;

  int64_t vocab_;
  std::vector<float> logits_;  // after bias, penalties and masks; padded with -inf to a multiple of 64
  std::vector<Candidate> candidates_;
  size_t kept_ = 0;  // how many of candidates_ are left
};

}  // namespace fathom::infer
