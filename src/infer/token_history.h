// Which tokens a sequence holds, for the penalties.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fathom::infer {

class TokenHistory {
 public:
  TokenHistory() = default;
  TokenHistory(int64_t vocab, std::span<const int32_t> prompt, int64_t answer)
      : counts_(static_cast<size_t>(vocab)) {
    seen_.reserve(prompt.size() + static_cast<size_t>(answer));
    for (int32_t t : prompt) note(t);
  }

  // A token of the answer. Allocates nothing within the length promised at construction.
  void add(int32_t token) {
    if (!counts_.empty()) note(token), ++counts_[static_cast<size_t>(token)];
  }
  // Every token seen, once.
  std::span<const int32_t> seen() const { return seen_; }
  uint32_t count_in_answer(int32_t token) const { return counts_[static_cast<size_t>(token)] & kCount; }

 private:
  static constexpr uint32_t kSeen = 1u << 31, kCount = kSeen - 1;
  void note(int32_t token) {
    uint32_t& entry = counts_[static_cast<size_t>(token)];
    if ((entry & kSeen) == 0) seen_.push_back(token);
    entry |= kSeen;
  }
  std::vector<uint32_t> counts_;  // empty when no penalty needs it
  std::vector<int32_t> seen_;
};

}  // namespace fathom::infer
