#include "text/output_parser.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "text/chat_markers.h"

namespace fathom::text {
namespace {

using EventKind = OutputEvent::Kind;

constexpr size_t kLongestSpace = 64;                // white space that is waited through
constexpr size_t kLongestHead = 256;                // name or type of a call, with the opening of a fence
constexpr std::string_view kFenceTail = "\n```\n";  // closing of a fence, with the newline some models add

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
  });
}

}  // namespace

const OutputParser::Named OutputParser::kMarkers[7] = {
    {Marker::kThinkBegin, marker::kThinkBegin},   {Marker::kThinkEnd, marker::kThinkEnd},
    {Marker::kCallsBegin, marker::kCallsBegin},   {Marker::kCallsEnd, marker::kCallsEnd},
    {Marker::kCallBegin, marker::kCallBegin},     {Marker::kCallEnd, marker::kCallEnd},
    {Marker::kSeparator, marker::kCallSeparator},
};

OutputParser::OutputParser(OutputSyntax syntax) : syntax_(syntax), state_(State::kAnswer) {
  if (syntax_.start == OutputSyntax::Start::kThoughts) state_ = State::kThoughts;
  if (syntax_.start == OutputSyntax::Start::kOpen) state_ = State::kStart;
}

OutputParser::Marker OutputParser::marker_named(std::string_view text) {
  const auto* found = std::ranges::find(kMarkers, text, &Named::text);
  return found == std::end(kMarkers) ? Marker::kNone : found->marker;
}

bool OutputParser::is_read_as_text(Marker marker) const {
  const bool think = marker == Marker::kThinkBegin || marker == Marker::kThinkEnd;
  return think ? syntax_.think_as_text : syntax_.calls_as_text;
}

std::optional<OutputParser::Named> OutputParser::match(std::string_view rest) const {
  bool undecided = false;
  for (const Named& named : kMarkers) {
    if (!is_read_as_text(named.marker)) continue;
    if (rest.starts_with(named.text)) return named;
    undecided = undecided || named.text.starts_with(rest);
  }
  if (undecided) return std::nullopt;
  return Named{Marker::kNone, {}};
}

void OutputParser::feed(std::string_view text, bool special, Events& events) {
  const Marker marker = special ? marker_named(text) : Marker::kNone;
  if (!special && has_text_markers()) {
    unscanned_ += text;
    scan(events);
    return;
  }
  take(std::exchange(unscanned_, {}), events);
  marker == Marker::kNone ? take(text, events) : take_marker(marker, text, events);
}

// Splits plain text at the markers in it. All of them begin with '<' and hold no other, so each '<' is judged
// alone.
void OutputParser::scan(Events& events) {
  const std::string text = std::exchange(unscanned_, {});
  const std::string_view view = text;
  size_t done = 0;
  for (size_t at = view.find('<'); at != std::string_view::npos; at = view.find('<', at)) {
    const auto found = match(view.substr(at));
    if (!found) {
      take(view.substr(done, at - done), events);
      unscanned_ = view.substr(at);
      return;
    }
    if (found->marker == Marker::kNone) {
      ++at;
      continue;
    }
    take(view.substr(done, at - done), events);
    take_marker(found->marker, found->text, events);
    done = at += found->text.size();
  }
  take(view.substr(done), events);
}

void OutputParser::take(std::string_view text, Events& events) {
  if (text.empty()) return;
  switch (state_) {
    case State::kThoughts:
      return emit(EventKind::kReasoning, text, -1, events);
    case State::kAnswer:
      return emit(EventKind::kContent, text, -1, events);
    case State::kStart:
    case State::kBetween:
      if (!is_blank(text) || spaces_ + text.size() > kLongestSpace) return fall_back(text, events);
      spaces_ += text.size();
      held_ += text;
      return;
    case State::kHead:
      if (head_.size() + text.size() > kLongestHead) return fall_back(text, events);
      head_ += text;
      held_ += text;
      return;
    case State::kFence:
      return take_fence(text, events);
    case State::kArguments:
      return take_arguments(text, events);
  }
}

void OutputParser::take_marker(Marker marker, std::string_view text, Events& events) {
  switch (state_) {
    case State::kThoughts:
      if (marker != Marker::kThinkEnd) return take(text, events);
      state_ = State::kAnswer;
      return;
    case State::kStart:
      if (marker == Marker::kThinkBegin || marker == Marker::kThinkEnd) {
        held_.clear();
        state_ = marker == Marker::kThinkBegin ? State::kThoughts : State::kAnswer;
        return;
      }
      fall_back({}, events);
      return take_answer_marker(marker, text, events);
    case State::kAnswer:
      return take_answer_marker(marker, text, events);
    default:
      return take_call_marker(marker, text, events);
  }
}

// A list of calls normally has its own opening. R1's template leaves it out in later rounds, so models may
// too.
void OutputParser::take_answer_marker(Marker marker, std::string_view text, Events& events) {
  const bool opens = marker == Marker::kCallsBegin || marker == Marker::kCallBegin;
  if (!opens || !syntax_.parse_calls) return take(text, events);
  state_ = marker == Marker::kCallsBegin ? State::kBetween : State::kHead;
  held_ = text;
  head_.clear();
  spaces_ = 0;
  list_has_calls_ = false;
}

void OutputParser::take_call_marker(Marker marker, std::string_view text, Events& events) {
  if (state_ == State::kBetween && marker == Marker::kCallBegin) {
    held_ += text;
    head_.clear();
    state_ = State::kHead;
  } else if (state_ == State::kBetween && marker == Marker::kCallsEnd && list_has_calls_) {
    held_.clear();
    state_ = State::kAnswer;
  } else if (state_ == State::kHead && marker == Marker::kSeparator && syntax_.calls == CallSyntax::kFenced) {
    held_ += text;
    head_.clear();
    state_ = State::kFence;
  } else if (state_ == State::kHead && marker == Marker::kSeparator && is_name(head_)) {
    begin_call(std::exchange(head_, {}), events);
  } else if (state_ == State::kArguments && (marker == Marker::kCallEnd || marker == Marker::kCallsEnd)) {
    end_call(events);
    if (marker == Marker::kCallsEnd) state_ = State::kAnswer;
  } else if (state_ == State::kArguments) {
    take(text, events);
  } else {
    fall_back(text, events);
  }
}

// "NAME\n```json\n", after which the arguments begin.
void OutputParser::take_fence(std::string_view text, Events& events) {
  const size_t before = head_.size();
  head_ += text.substr(0, kLongestHead - before);
  const size_t newline = head_.find('\n');
  const std::string_view opening =
      newline == std::string::npos ? "" : std::string_view(head_).substr(newline);
  const bool possible = marker::kFenceOpen.starts_with(opening.substr(0, marker::kFenceOpen.size()));
  if (opening.size() >= marker::kFenceOpen.size() && possible && is_name(head_.substr(0, newline))) {
    const size_t used = newline + marker::kFenceOpen.size() - before;
    begin_call(head_.substr(0, newline), events);
    return take(text.substr(used), events);
  }
  if (!possible || head_.size() >= kLongestHead || opening.size() >= marker::kFenceOpen.size()) {
    return fall_back(text, events);
  }
  held_ += text;
}

void OutputParser::take_arguments(std::string_view text, Events& events) {
  if (syntax_.calls == CallSyntax::kPlain) return emit(EventKind::kCallArguments, text, calls_ - 1, events);
  // The longest end that may be the closing of the fence waits for what follows.
  const std::string all = std::exchange(tail_, {}) + std::string(text);
  size_t hold = std::min(kFenceTail.size(), all.size());
  while (!kFenceTail.starts_with(std::string_view(all).substr(all.size() - hold))) --hold;
  tail_ = all.substr(all.size() - hold);
  emit(EventKind::kCallArguments, std::string_view(all).substr(0, all.size() - hold), calls_ - 1, events);
}

void OutputParser::begin_call(std::string_view name, Events& events) {
  emit(EventKind::kCallBegin, name, calls_++, events);
  held_.clear();
  tail_.clear();
  list_has_calls_ = true;
  state_ = State::kArguments;
}

void OutputParser::end_call(Events& events) {
  const bool closing = tail_.size() >= marker::kFenceClose.size();
  if (!closing) emit(EventKind::kCallArguments, tail_, calls_ - 1, events);
  emit(EventKind::kCallEnd, {}, calls_ - 1, events);
  tail_.clear();
  spaces_ = 0;
  state_ = State::kBetween;
}

// What was held back and `text` are part of the answer after all.
void OutputParser::fall_back(std::string_view text, Events& events) {
  state_ = State::kAnswer;
  emit(EventKind::kContent, std::exchange(held_, {}), -1, events);
  emit(EventKind::kContent, text, -1, events);
}

void OutputParser::finish(Events& events) {
  take(std::exchange(unscanned_, {}), events);
  if (state_ == State::kArguments) {
    if (tail_.size() >= marker::kFenceClose.size()) return end_call(events);
    emit(EventKind::kCallArguments, std::exchange(tail_, {}), calls_ - 1, events);
  }
  // White space after a complete call says nothing.
  const bool nothing = state_ == State::kBetween && list_has_calls_;
  if (!nothing) emit(EventKind::kContent, held_, -1, events);
  held_.clear();
}

void OutputParser::emit(EventKind kind, std::string_view text, int call, Events& events) {
  const bool delta =
      kind == EventKind::kReasoning || kind == EventKind::kContent || kind == EventKind::kCallArguments;
  if (delta && text.empty()) return;
  if (delta && !events.empty() && events.back().kind == kind && events.back().call == call) {
    events.back().text += text;
  } else {
    events.push_back({kind, std::string(text), call});
  }
}

}  // namespace fathom::text
