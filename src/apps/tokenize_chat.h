// `fathom tokenize MODEL --chat`: conversations to the text and ids that the model gets.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace fathom::apps {

struct ChatLineOptions {
  std::string directory;                              // whose template tells the format where none is named
  std::optional<text::ChatFormat> format;             // for lines that name none
  text::Special special = text::Special::recognised;  // plain: only in what the template wrote
};

// For every line {"messages", "thinking"?, "add_generation_prompt"?, "format"?} of `in` gives `write` one
// line, without its newline: {"rendered", "ids"} or {"error"}. Other keys, "tools" too, are passed over as
// the templates do. Throws Exception if a line needs the directory's format and that has none we know.
void tokenize_chat(const text::Tokenizer& tokenizer, const ChatLineOptions& options, std::istream& in,
                   const std::function<void(const std::string&)>& write);

}  // namespace fathom::apps
