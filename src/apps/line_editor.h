// Lines that a person types: arrows, history kept between runs, paste of several lines.
#pragma once

#include <memory>
#include <string>

namespace fathom::apps {

class LineEditor {
 public:
  // On a terminal `history_file` (empty: none) is read now and written by every read(). Otherwise lines are
  // read plainly and nothing is shown.
  LineEditor(std::string prompt, std::string history_file);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class Kind { line, cancelled, end };  // cancelled: Ctrl-C
  // Valid UTF-8 without the last newline; a pasted text, or one with Alt-Enter, holds others.
  Kind read(std::string& line);

  bool on_terminal() const { return impl_ != nullptr; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;  // null: plain
};

// Where the lines typed at `fathom chat` are kept: below the home directory of the user database. Makes the
// directory. Empty when there is none.
std::string default_history_file();

}  // namespace fathom::apps
