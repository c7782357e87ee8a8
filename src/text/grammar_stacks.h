// Follows a grammar through bytes: all ways to read them at once, as stacks of calls that share their bases.
#pragma once

#include <cstdint>
#include <vector>

#include "text/grammar.h"

namespace fathom::text {

// The stacks of one moment are a Set: a range of tops, each a state and the frame to go on from when its rule
// ends. Sets lie behind each other; making one from an earlier one discards everything that came after that.
// One thread at a time; allocates nothing once its arrays have grown.
class GrammarStacks {
 public:
  // Ways to read the same bytes that are followed at most; further ones are left out.
  static constexpr uint32_t kMaxTops = 256;

  struct Frame {
    uint32_t back;    // state after the call
    uint32_t parent;  // frame of the caller
    uint32_t depth;   // open calls, this one included
  };
  struct Top {
    uint32_t state, frame;
    bool operator==(const Top&) const = default;
  };
  struct Set {
    uint32_t begin, end;  // tops
    uint32_t frames;      // frames that exist
    bool popped;          // the rule below frame 0 may have ended
    bool empty() const { return begin == end && !popped; }
  };

  // `depth`: calls that are open below frame 0.
  explicit GrammarStacks(const Grammar& grammar, uint32_t depth = 0) : g_(&grammar) {
    frames_.push_back({Grammar::kNone, 0, depth});
  }

  void set_base_depth(uint32_t depth) { frames_[0].depth = depth; }

  // The set of the one stack whose top is `state` upon `frame`, what it calls and returns to included; laid
  // behind `after`.
  Set enter(const Set& after, uint32_t state, uint32_t frame);
  // The same without what it calls and returns to.
  Set only(const Set& after, uint32_t state, uint32_t frame) {
    Set set = begin_after(after);
    add_top(set, {state, frame});
    finish(set);
    return set;
  }
  // After the call that `frame` stands for. REQUIRES: frame > 0.
  Set leave(const Set& after, uint32_t frame) {
    return enter(after, frames_[frame].back, frames_[frame].parent);
  }
  Set step(const Set& from, uint8_t byte);
  // `any` tells whether the token is one that states with any_token pass over.
  Set step_token(const Set& from, int32_t token, bool any);

  const Top* tops(const Set& set) const { return tops_.data() + set.begin; }
  uint32_t size(const Set& set) const { return set.end - set.begin; }
  const Frame& frame(uint32_t index) const { return frames_[index]; }
  // Largest depth and height of anything entered or refused since this was last set to 0.
  uint32_t reached = 0;

  // Whether a state may be entered with `depth` calls open: there must be room for what it takes to end.
  bool fits(uint32_t depth, uint32_t state) {
    const uint32_t need = depth + g_->states[state].height;
    reached = need > reached ? need : reached;
    return need <= Grammar::kMaxDepth;
  }

  // Moves the tops of `set` down to `position`.
  Set move_down(const Set& set, uint32_t position);
  // Forgets the tops before `set` and all frames that it does not need. `sets` follow it, in order.
  void compact(std::vector<Set>& sets);
  size_t frame_count() const { return frames_.size(); }

 private:
  Set begin_after(const Set& set) {
    tops_.resize(set.end);
    frames_.resize(set.frames);
    visited_.clear();
    return {set.end, set.end, set.frames, false};
  }
  void finish(Set& set) {
    set.end = static_cast<uint32_t>(tops_.size());
    set.frames = static_cast<uint32_t>(frames_.size());
  }
  void add_top(const Set& set, Top top);
  void expand(Set& set, uint32_t state, uint32_t frame);
  uint32_t frame_for(uint32_t first, uint32_t back, uint32_t parent);

  const Grammar* g_;
  std::vector<Frame> frames_;
  std::vector<Top> tops_;
  std::vector<Top> visited_;  // expanded for the set at hand
  std::vector<uint32_t> renamed_;
};

}  // namespace fathom::text
