#include "text/grammar_stacks.h"

#include <algorithm>

namespace fathom::text {

void GrammarStacks::add_top(const Set& set, Top top) {
  for (size_t i = set.begin; i < tops_.size(); ++i)
    if (tops_[i] == top) return;
  if (tops_.size() - set.begin < kMaxTops) tops_.push_back(top);
}

// Equal stacks must get equal frames, or they would be followed twice.
uint32_t GrammarStacks::frame_for(uint32_t first, uint32_t back, uint32_t parent) {
  for (auto i = static_cast<uint32_t>(frames_.size()); i-- > first;)
    if (frames_[i].back == back && frames_[i].parent == parent) return i;
  frames_.push_back({back, parent, frames_[parent].depth + 1});
  return static_cast<uint32_t>(frames_.size() - 1);
}

void GrammarStacks::expand(Set& set, uint32_t state, uint32_t frame) {
  const Top top{state, frame};
  if (visited_.size() >= kMaxTops || std::find(visited_.begin(), visited_.end(), top) != visited_.end())
    return;
  visited_.push_back(top);
  const auto& s = g_->states[state];
  if (s.any_token || !g_->bytes_of(state).empty() || !g_->tokens_of(state).empty()) add_top(set, top);
  if (s.accepts) {
    if (frame == 0) {
      set.popped = true;
    } else {
      expand(set, frames_[frame].back, frames_[frame].parent);
    }
  }
  const uint32_t depth = frames_[frame].depth;
  for (const auto& call : g_->calls_of(state)) {
    if (call.back == Grammar::kNone) {
      if (fits(depth, call.start)) expand(set, call.start, frame);
    } else if (fits(depth, call.back) && fits(depth + 1, call.start)) {
      expand(set, call.start, frame_for(set.frames, call.back, frame));
    }
  }
}

GrammarStacks::Set GrammarStacks::enter(const Set& after, uint32_t state, uint32_t frame) {
  Set set = begin_after(after);
  expand(set, state, frame);
  finish(set);
  return set;
}

GrammarStacks::Set GrammarStacks::step(const Set& from, uint8_t byte) {
  Set set = begin_after(from);
  for (uint32_t i = from.begin; i < from.end; ++i) {
    const Top top = tops_[i];
    const uint32_t to = g_->step(top.state, byte);
    if (to == Grammar::kNone || !fits(frames_[top.frame].depth, to)) continue;
    if (g_->plain(to)) {
      add_top(set, {to, top.frame});
    } else {
      expand(set, to, top.frame);
    }
  }
  finish(set);
  return set;
}

GrammarStacks::Set GrammarStacks::step_token(const Set& from, int32_t token, bool any) {
  Set set = begin_after(from);
  for (uint32_t i = from.begin; i < from.end; ++i) {
    const Top top = tops_[i];
    uint32_t to = any && g_->states[top.state].any_token ? top.state : Grammar::kNone;
    for (const auto& edge : g_->tokens_of(top.state))
      if (edge.token == token) to = edge.to;
    if (to != Grammar::kNone && fits(frames_[top.frame].depth, to)) expand(set, to, top.frame);
  }
  finish(set);
  return set;
}

GrammarStacks::Set GrammarStacks::move_down(const Set& set, uint32_t position) {
  std::copy(tops_.begin() + set.begin, tops_.begin() + set.end, tops_.begin() + position);
  return {position, position + size(set), set.frames, set.popped};
}

// Frames stand behind their parents, so that one pass from the back finds all that are needed and one from
// the front renames them.
void GrammarStacks::compact(std::vector<Set>& sets) {
  const uint32_t first = sets.front().begin, last = sets.back().end;
  tops_.erase(tops_.begin() + last, tops_.end());
  tops_.erase(tops_.begin(), tops_.begin() + first);
  renamed_.assign(frames_.size(), 0);
  renamed_[0] = 1;
  for (const Top& top : tops_) renamed_[top.frame] = 1;
  for (size_t f = frames_.size(); f-- > 1;)
    if (renamed_[f] != 0) renamed_[frames_[f].parent] = 1;
  std::vector<uint32_t>& kept_before = renamed_;  // turned from flags into new places in the same pass
  uint32_t kept = 0;
  size_t next_set = 0;
  for (size_t f = 0; f < frames_.size(); ++f) {
    for (; next_set < sets.size() && sets[next_set].frames <= f; ++next_set) sets[next_set].frames = kept;
    if (kept_before[f] == 0) continue;
    const Frame& old = frames_[f];
    frames_[kept] = {old.back, f == 0 ? 0 : renamed_[old.parent], old.depth};
    renamed_[f] = kept++;
  }
  for (; next_set < sets.size(); ++next_set) sets[next_set].frames = kept;
  frames_.resize(kept);
  for (Top& top : tops_) top.frame = renamed_[top.frame];
  for (Set& set : sets) {
    set.begin -= first;
    set.end -= first;
  }
}

}  // namespace fathom::text
