// Takes a model's output apart while it streams: thoughts, answer, tool calls.
//
// Markers count only as tokens: text that merely spells one is text, unless the tokenizer has no token of
// that name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_format.h"
#include "text/span.h"

namespace fathom::text {

class Tokenizer;

struct OutputEvent {
  enum class Kind {
    kReasoning,      // text: more of the thoughts
    kContent,        // text: more of the answer
    kCallBegin,      // text: the name of the function
    kCallArguments,  // text: more of the arguments, whatever the model wrote
    kCallEnd         // the call is complete
  };
  Kind kind;
  std::string text;
  int call = -1;  // number of the call from 0; -1 for thoughts and answer
  bool operator==(const OutputEvent&) const = default;
};

struct OutputSyntax {
  enum class Start {
    kAnswer,    // the prompt has closed the thoughts or knows none
    kThoughts,  // the prompt has opened them: the output holds only their end
    kOpen       // the output may open them itself, before anything else but white space
  };
  Start start = Start::kAnswer;
  CallSyntax calls = CallSyntax::kPlain;
  bool parse_calls = true;     // false: markers of calls are text of the answer
  bool think_as_text = false;  // the tokenizer has no tokens for thoughts: find their markers in plain text
  bool calls_as_text = false;  // the same for calls
};

// The syntax of what follows `prompt`, a rendering in `format`; `tools`: whether calls are looked for.
OutputSyntax output_syntax(ChatFormat format, const Rendered& prompt, const Tokenizer& tokenizer, bool tools);

// One object takes apart one output; one thread at a time. Never throws for any bytes. Holds back at most
// kLongestHold bytes, and only where they may turn out to be a marker or the head of a call. However the
// output is cut into pieces, the events joined are the same. What looks like a call but is none (no name, no
// fence, other text between calls) comes as content, markers included; so does a head of a call or a marker
// that the end of the output cuts off.
class OutputParser {
 public:
  static constexpr size_t kLongestHold = 1024;

  explicit OutputParser(OutputSyntax syntax);

  // The next piece of decoded text, appended to `events` (which merges neighbours of one kind). `special`:
  // the piece is the whole text of one added token.
  void feed(std::string_view text, bool special, std::vector<OutputEvent>& events);
  // The output has ended: gives out what was held back. A call without end gets no kCallEnd, but one whose
  // fence is closed is complete. Call it once, last.
  void finish(std::vector<OutputEvent>& events);

  bool in_thoughts() const { return state_ == State::kThoughts; }
  int calls() const { return calls_; }  // begun so far

 private:
  enum class Marker {
    kNone,
    kThinkBegin,
    kThinkEnd,
    kCallsBegin,
    kCallsEnd,
    kCallBegin,
    kCallEnd,
    kSeparator
  };
  enum class State {
    kStart,  // white space so far, thoughts may open
    kThoughts,
    kAnswer,
    kBetween,  // in a list of calls, outside of calls
    kHead,     // plain: the name; fenced: the type
    kFence,    // fenced: the name and the opening of the fence
    kArguments
  };
  struct Named {
    Marker marker;
    std::string_view text;
  };
  using Events = std::vector<OutputEvent>;

  static const Named kMarkers[7];
  static Marker marker_named(std::string_view text);
  bool is_read_as_text(Marker marker) const;
  bool has_text_markers() const { return syntax_.think_as_text || syntax_.calls_as_text; }
  // The marker that `rest` begins with; kNone: none; nullopt: not known before more arrives.
  std::optional<Named> match(std::string_view rest) const;

  void scan(Events& events);
  void take(std::string_view text, Events& events);
  void take_marker(Marker marker, std::string_view text, Events& events);
  void take_answer_marker(Marker marker, std::string_view text, Events& events);
  void take_call_marker(Marker marker, std::string_view text, Events& events);
  void take_fence(std::string_view text, Events& events);
  void take_arguments(std::string_view text, Events& events);
  void begin_call(std::string_view name, Events& events);
  void end_call(Events& events);
  void fall_back(std::string_view text, Events& events);
  static void emit(OutputEvent::Kind kind, std::string_view text, int call, Events& events);

  OutputSyntax syntax_;
  State state_;
  std::string unscanned_;  // plain text that may begin a marker
  std::string held_;       // what becomes content if no call comes of it; kStart: the white space
  std::string head_;       // kHead, kFence: text since the last marker
  std::string tail_;       // kArguments: what may be the closing of the fence
  int calls_ = 0;
  size_t spaces_ = 0;  // white space in held_ since the list or its last call
  bool list_has_calls_ = false;
};

}  // namespace fathom::text
