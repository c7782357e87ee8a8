// Decides whether asking the MTP module for drafts pays. It changes speed alone, never a token.
//
// With n answers in a step: c1 = time of a step with one row each, c2 = with two, cm = time of the module. A
// share a of right drafts pays when (1 + a) / (c2 + cm) > 1 / c1. Only (c2 + cm) / c1 counts: now and then a
// step leaves its drafts out (they are still compared), and is measured against the step before it, since
// what else runs on the machine changes all of them within a second.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "infer/draft_odds.h"

namespace fathom::infer {

enum class DraftPolicy : uint8_t { always, while_faster };

// The median of the last few values.
class RecentMedian {
 public:
  void add(double value) { values_[static_cast<size_t>(count_++ % kSize)] = value; }
  int64_t count() const { return count_; }
  double value() const;

 private:
  static constexpr int64_t kSize = 9;
  std::array<double, kSize> values_{};
  int64_t count_ = 0;
};

// What one sequence's drafts came to: `expected` of those made should have been right by their leads.
struct DraftRecord {
  int64_t made = 0;
  double expected = 0;
};

// One thread at a time; allocates nothing after construction.
class DraftGovernor {
 public:
  DraftGovernor(DraftPolicy policy, int64_t max_sequences)
      : policy_(policy), costs_(static_cast<size_t>(max_sequences) + 1) {}

  // Whether a new answer beside `others` shall ask for drafts.
  bool start(int64_t others);
  // Whether this step of `n` answers shall leave its drafts out to measure. `most_made`: drafts of the answer
  // that has made most.
  bool probe(int64_t n, int64_t most_made);
  // How long a step of `n` answers and nothing else took, with one row each. Counts when it follows one with
  // two.
  void record_one(int64_t n, double main_s);
  // The same with two, and how long the module took after it.
  void record_two(int64_t n, double main_s, double module_s);
  // One more draft, with this lead, was compared. Returns whether the sequence, one of `n`, shall go on
  // drafting.
  bool go_on(int64_t n, DraftRecord& sequence, double lead, bool right);

  // The share of right drafts above which they pay with n answers, above 1 if none does; 0 while not known.
  double needed(int64_t n) const;
  int64_t switched_off() const { return switched_off_; }

 private:
  struct Cost {
    RecentMedian ratio;
    double last_two = 0;  // with the module, of the step before; 0: none
    int64_t since_probe = 0;
    double speed = 1;  // with drafts over without, as last judged
  };
  Cost& cost(int64_t n) { return costs_[static_cast<size_t>(n)]; }

  DraftPolicy policy_;
  std::vector<Cost> costs_;  // by number of answers
  DraftOdds odds_;
  double right_ = 0.7;  // of all drafts, lately
  int64_t made_ = 0, refused_ = 0, switched_off_ = 0;
};

}  // namespace fathom::infer
