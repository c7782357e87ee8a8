// A cap on the tokens of thoughts.
#pragma once

#include <memory>
#include <vector>

#include "infer/token_bits.h"

namespace fathom::server {

struct ThoughtTokens {
  int32_t end = 0;              // closes thoughts
  std::vector<int32_t> forced;  // what is written when the cap is reached; ends with `end`
};

// Lets an output that begins in its thoughts have at most `limit` tokens of them, then forces their end. What
// follows is up to `inner`, which sees every token; null: free. Used by the engine's thread.
class ThoughtLimit : public infer::TokenConstraint {
 public:
  ThoughtLimit(ThoughtTokens tokens, int64_t limit, int64_t vocab,
               std::shared_ptr<infer::TokenConstraint> inner);

  std::span<const uint64_t> allowed() override;
  void accept(int32_t token) override;

 private:
  ThoughtTokens tokens_;
  int64_t left_;
  std::shared_ptr<infer::TokenConstraint> inner_;
  infer::TokenBits forced_bits_;
  size_t forced_at_ = 0;
  bool thinking_ = true;
};

}  // namespace fathom::server
