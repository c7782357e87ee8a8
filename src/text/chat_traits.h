// In what the chat formats differ: one row of a table for each, read by the renderer.
#pragma once

#include <string_view>

#include "text/chat_format.h"

namespace fathom::text {

struct ChatTraits {
  // Where the marker of the assistant is written.
  enum class Marker {
    kBeforeTurn,   // by every assistant message itself
    kAfterUser,    // by every user message, at its end
    kWithThinking  // by an assistant message after a user's, and followed by an opening or closing of
                   // thoughts
  };
  // Which assistant messages are calls rather than answers.
  enum class Calls { kContentNull, kKeyPresent, kNotNull };
  // From where on a former answer is repeated.
  enum class Cut {
    kNever,
    kLast,        // after the last end of thoughts, but all of it right after tool results
    kLastAlways,  // after the last end of thoughts, before calls too
    kFirst        // after the first end of thoughts, but all of it right after tool results
  };
  // After which conversations a generation prompt is written (never while tool results are open).
  enum class Prompt { kAlways, kUnlessUser, kAfterUser, kUnlessPrefix };

  std::string_view name;
  ThinkingSupport thinking;
  CallSyntax syntax;
  Marker marker;
  Calls calls;
  Cut cut;
  Prompt prompt;
  std::string_view prompt_tail;      // what a generation prompt adds to the assistant's marker
  std::string_view between_outputs;  // between two tool results
  bool fresh_rounds;  // a new round of calls starts with the opening markers again; else only the first one
                      // has them
  bool closes_later_calls;  // the end of a list of calls is written after its 2nd, 3rd, ... call instead of
                            // once
};

const ChatTraits& chat_traits(ChatFormat format);

}  // namespace fathom::text
