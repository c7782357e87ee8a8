#include "infer/draft_governor.h"

namespace fathom::infer {
namespace {

constexpr int64_t kEnough = 2;       // measurements before costs are believed
constexpr int64_t kFirstProbe = 4;   // steps between the first probes
constexpr int64_t kLaterProbe = 32;  // and between later ones
constexpr int64_t kRareProbe = 128;  // and while drafts clearly pay
constexpr double kClearGain = 1.1;
constexpr double kPriorDrafts = 2;   // what the drafts of all others count for in a sequence's share
constexpr int64_t kRetry = 16;       // new sequences that start without drafts before one tries again
constexpr int64_t kExperience = 96;  // drafts before new sequences are refused

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

double RecentCost::value() const {
  std::array<double, kSize> sorted = values_;
  const auto filled = static_cast<std::ptrdiff_t>(std::min(count_, kSize));
  std::nth_element(sorted.begin(), sorted.begin() + filled / 4, sorted.begin() + filled);
  return sorted[static_cast<size_t>(filled / 4)];
}

double DraftGovernor::needed(int64_t n) const {
  const Cost& c = costs_[static_cast<size_t>(n)];
  if (c.one.count() < kEnough || c.two.count() < kEnough || c.module.count() < kEnough) return 0;
  return std::max(0.0, (c.two.value() + c.module.value()) / c.one.value() - 1);
}

bool DraftGovernor::start(int64_t others) {
  if (policy_ == DraftPolicy::always) return true;
  const int64_t n = std::min(others + 1, static_cast<int64_t>(costs_.size()) - 1);
  const bool hopeless = made_ >= kExperience && right_ < needed(n) - 0.1;
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
  return ++c.since_probe >= (c.one.count() < kEnough ? kFirstProbe : later);
}

void DraftGovernor::record_one(int64_t n, double main_s) {
  Cost& c = cost(n);
  c.one.add(main_s);
  c.since_probe = 0;
}

void DraftGovernor::record_two(int64_t n, double main_s, double module_s) {
  Cost& c = cost(n);
  c.two.add(main_s);
  c.module.add(module_s);
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
