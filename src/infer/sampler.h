// Draws the token of one position from its logits, exactly and repeatably.
//
// token = argmax over what the settings leave of (logit / temperature + Gumbel noise of (seed, position,
// token)). That is a sample of the filtered softmax, and a function of the logits, the settings and the
// position alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/likely_tokens.h"
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
  // How far the score of `token`, drawn last and by `draw`, is ahead of the next one's, in units of logits;
  // infinite when nothing else was left.
  double lead(const Draw& draw, int32_t token);

 private:
  void adjust(const Draw& draw);
  void mask(std::span<const uint64_t> allowed);
  void keep_likely(const SamplingParams& params, LogitRange range);
  double score(const Draw& draw, int32_t token, uint32_t word) const;
  int32_t draw_from_kept(const Draw& draw, int32_t best) const;

  int64_t vocab_;
  std::vector<float> logits_;   // after bias, penalties and masks; padded with -inf to whole blocks
  std::vector<float> weights_;  // of the same, for top-p
  CutFinder finder_;
};

}  // namespace fathom::infer
