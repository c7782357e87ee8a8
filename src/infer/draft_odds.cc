#include "infer/draft_odds.h"

#include <algorithm>
#include <cmath>

namespace fathom::infer {
namespace {

constexpr double kSmallestLead = 0.125;  // below it is the first range
constexpr double kMemory = 256;          // drafts of a range after which old ones fade
constexpr double kPriorCount = 4;        // what the guess that a range begins with counts for
// The guess: a draft without a lead is wrong two times in three, and with every logit of lead three times
// more seldom.
constexpr double kWrongWithoutLead = 0.65;

}  // namespace

DraftOdds::DraftOdds() {
  double lead = 0;
  for (Range& r : ranges_) {
    r = {.right = 1 - kWrongWithoutLead * std::pow(3.0, -lead), .count = kPriorCount};
    lead = lead == 0 ? kSmallestLead : 2 * lead;
  }
}

size_t DraftOdds::range_of(double lead) {
  if (!(lead >= kSmallestLead)) return 0;
  const double doublings = std::min(std::log2(lead / kSmallestLead), static_cast<double>(kRanges));
  return std::min(kRanges - 1, 1 + static_cast<size_t>(doublings));
}

void DraftOdds::learn(double lead, bool right) {
  Range& r = ranges_[range_of(lead)];
  r.count = std::min(r.count + 1, kMemory);
  r.right += ((right ? 1.0 : 0.0) - r.right) / r.count;
}

}  // namespace fathom::infer
