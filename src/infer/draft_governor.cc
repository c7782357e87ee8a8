#include "infer/draft_governor.h"

namespace fathom::infer {
namespace {

constexpr int64_t kEnough = 3;       // measurements before costs are believed
constexpr int64_t kFirstProbe = 4;   // steps between the first probes
constexpr int64_t kLaterProbe = 16;  // and between later ones
constexpr int64_t kRareProbe = 128;  // and while drafts clearly pay
constexpr double kClearGain = 1.1;
constexpr double kPriorDrafts = 2;   // what the drafts of all others count for in a sequence's share
constexpr int64_t kRetry = 16;       // new sequences that start without drafts before one tries again
constexpr int64_t kExperience = 64;  // drafts before new sequences are refused
constexpr double kHopeless = 0.05;   // below what would pay, when they are

// A sequence alone is judged early when its drafts lose a lot, and later when they lose less, so that a short
// answer is not cut off by chance. In company costs change as answers come and go: it waits for the last
// judgement. So do drafts that are mostly right, which times measured on a busy machine must not end.
struct Judgement {
  int64_t drafts;
  double speed;  // with drafts over without, below which they end
};
constexpr Judgement kEarly[] = {{6, 0.9}, {10, 0.94}, {16, 0.97}, {24, 0.98}};
constexpr double kMostlyRight = 0.65;
constexpr Judgement kLate = {40, 0.98};

}  // namespace

double RecentMedian::value() const {
  std::array<double, kSize> sorted = values_;
  const auto filled = static_cast<std::ptrdiff_t>(std::min(count_, kSize));
  std::nth_element(sorted.begin(), sorted.begin() + filled / 2, sorted.begin() + filled);
  return sorted[static_cast<size_t>(filled / 2)];
}

double DraftGovernor::needed(int64_t n) const {
  const Cost& c = costs_[static_cast<size_t>(n)];
  return c.ratio.count() < kEnough ? 0 : std::max(0.0, c.ratio.value() - 1);
}

bool DraftGovernor::start(int64_t others) {
  if (policy_ == DraftPolicy::always) return true;
  const int64_t n = std::min(others + 1, static_cast<int64_t>(costs_.size()) - 1);
  const bool hopeless = made_ >= kExperience && right_ < needed(n) - kHopeless;
  if (!hopeless) return true;
  if (++refused_ % kRetry != 0) return false;
  return true;
}

bool DraftGovernor::probe(int64_t n, int64_t most_made) {
  if (policy_ == DraftPolicy::always) return false;
  // In company nothing is decided before the last judgement, so nothing need be known.
  if (n > 1 && most_made < kLate.drafts - 8) return false;
  Cost& c = cost(n);
  const int64_t later = c.speed > kClearGain ? kRareProbe : kLaterProbe;
  return ++c.since_probe >= (c.ratio.count() < kEnough ? kFirstProbe : later);
}

void DraftGovernor::record_one(int64_t n, double main_s) {
  Cost& c = cost(n);
  if (c.last_two > 0) c.ratio.add(c.last_two / main_s);
  c.last_two = 0;
  c.since_probe = 0;
}

void DraftGovernor::record_two(int64_t n, double main_s, double module_s) {
  cost(n).last_two = main_s + module_s;
}

bool DraftGovernor::go_on(int64_t n, DraftRecord& sequence, double lead, bool right) {
  ++made_;
  ++sequence.made;
  sequence.expected += odds_.right(lead);
  odds_.learn(lead, right);
  right_ += ((right ? 1.0 : 0.0) - right_) / 64;
  if (policy_ == DraftPolicy::always) return true;
  const double share =
      (sequence.expected + kPriorDrafts * right_) / (static_cast<double>(sequence.made) + kPriorDrafts);
  const double speed = cost(n).speed = (1 + share) / (1 + needed(n));
  bool loses = sequence.made >= kLate.drafts && speed < kLate.speed;
  if (n == 1 && share < kMostlyRight)
    for (const Judgement& j : kEarly) loses = loses || (sequence.made >= j.drafts && speed < j.speed);
  if (loses) ++switched_off_;
  return !loses;
}

}  // namespace fathom::infer
