// How likely a draft is right, told by its lead: how far the module's best score was ahead of its next one.
//
// Learnt from the drafts that were compared, by ranges of the lead that double. It needs a third of the
// drafts that counting right ones alone does to tell an answer that drafts well from one that does not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fathom::infer {

// One thread at a time; allocates nothing.
class DraftOdds {
 public:
  DraftOdds();

  // The share of right drafts among those with such a lead (in units of logits), lately.
  double right(double lead) const { return ranges_[range_of(lead)].right; }
  // One more draft was compared.
  void learn(double lead, bool right);

 private:
  static constexpr size_t kRanges = 9;
  struct Range {
    double right, count;
  };
  static size_t range_of(double lead);

  std::array<Range, kRanges> ranges_;
};

}  // namespace fathom::infer
