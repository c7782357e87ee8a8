#include "apps/answer_screen.h"

#include <cstdio>

namespace fathom::apps {
namespace {

constexpr const char* kDim = "\x1b[2m";
constexpr const char* kPlain = "\x1b[0m";

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    if (c1 || c == 0x7F || (c < 0x20 && c != '\n' && c != '\t'))
      out += "\xEF\xBF\xBD";
    else
      out += text[i];
  }
  return out;
}

void AnswerScreen::write(const std::string& text) {
  failed_ =
      failed_ || std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0;
}

void AnswerScreen::show(const text::OutputEvent& event) {
  const bool thought = event.kind == text::OutputEvent::Kind::kReasoning;
  const Part part = thought ? Part::thoughts : Part::answer;
  std::string text = event.text;
  if (part != part_) {
    // White space between thoughts and answer is the template's, not the screen's.
    text.erase(0, text.find_first_not_of('\n'));
    if (text.empty()) return;
    if (thought)
      write(colour_ ? std::string(kDim) : "Thoughts:\n");
    else if (part_ == Part::thoughts)
      write(std::string(colour_ ? kPlain : "") + "\n\n" + (colour_ ? "" : "Answer:\n"));
    part_ = part;
  }
  write(printable(text));
  if (!thought) content_ += event.text;
}

void AnswerScreen::feed(std::span<const infer::TextPiece> pieces) {
  events_.clear();
  for (const infer::TextPiece& p : pieces) parser_.feed(p.text, p.special, events_);
  for (const text::OutputEvent& e : events_) show(e);
}

void AnswerScreen::on_token(const infer::TokenEvent& event) { feed(event.text); }

void AnswerScreen::on_finish(const infer::Outcome& outcome) {
  feed(outcome.text);
  events_.clear();
  parser_.finish(events_);
  for (const text::OutputEvent& e : events_) show(e);
  write(std::string(colour_ && part_ == Part::thoughts ? kPlain : "") + "\n");
  outcome_ = outcome;
  outcome_.text = {};
  done_ = true;
}

}  // namespace fathom::apps
