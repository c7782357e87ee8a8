// Decides whether asking the MTP module for drafts pays.
#pragma once

#include <cstdint>

namespace fathom::infer {

enum class DraftPolicy : uint8_t { always, while_faster };

// Told about every step in which sequences only decode. Changes speed alone, never a token.
class DraftGovernor {
 public:
  explicit DraftGovernor(DraftPolicy policy) : policy_(policy) {}

  bool on() const { return on_; }

 private:
  [[maybe_unused]] DraftPolicy policy_;
  bool on_ = true;
};

}  // namespace fathom::infer
