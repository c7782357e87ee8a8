#include "server/thought_limit.h"

#include <algorithm>

namespace fathom::server {

ThoughtLimit::ThoughtLimit(ThoughtTokens tokens, int64_t limit, int64_t vocab,
                           std::shared_ptr<infer::TokenConstraint> inner)
    : tokens_(std::move(tokens)),
      left_(limit),
      inner_(std::move(inner)),
      forced_bits_(infer::token_words(vocab)) {}

std::span<const uint64_t> ThoughtLimit::allowed() {
  if (!thinking_ || left_ > 0) return inner_ ? inner_->allowed() : std::span<const uint64_t>();
  std::ranges::fill(forced_bits_, 0);
  const auto token = static_cast<size_t>(tokens_.forced[forced_at_]);
  forced_bits_[token / 64] |= uint64_t{1} << (token % 64);
  return forced_bits_;
}

void ThoughtLimit::accept(int32_t token) {
  if (inner_) inner_->accept(token);
  if (!thinking_) return;
  if (left_ <= 0) ++forced_at_;
  --left_;
  if (token == tokens_.end || forced_at_ == tokens_.forced.size()) thinking_ = false;
}

}  // namespace fathom::server
