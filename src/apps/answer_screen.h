// An answer on the terminal: thoughts dimmed and apart, the rest as it is.
#pragma once

#include <string>

#include "infer/request.h"
#include "text/output_parser.h"

namespace fathom::apps {

// Prints to standard output while tokens arrive.
class AnswerScreen final : public infer::RequestListener {
 public:
  AnswerScreen(text::OutputSyntax syntax, bool colour) : parser_(syntax), colour_(colour) {}

  void on_token(const infer::TokenEvent& event) override;
  void on_finish(const infer::Outcome& outcome) override;

  bool done() const { return done_; }
  bool failed() const { return failed_; }                  // standard output is gone
  const std::string& content() const { return content_; }  // the answer without thoughts
  const infer::Outcome& outcome() const { return outcome_; }

 private:
  void feed(std::span<const infer::TextPiece> pieces);
  void show(const text::OutputEvent& event);
  void write(const std::string& text);

  text::OutputParser parser_;
  bool colour_;
  std::vector<text::OutputEvent> events_;
  enum class Part { none, thoughts, answer } part_ = Part::none;
  std::string content_;
  infer::Outcome outcome_;
  bool done_ = false, failed_ = false;
};

// `text` fit for a terminal: control characters but newline and tab become U+FFFD, so that a model cannot
// move the cursor or change the title.
std::string printable(std::string_view text);

}  // namespace fathom::apps
