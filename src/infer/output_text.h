// The text of an answer while its tokens arrive: decoded, cut at stop strings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "infer/stop_filter.h"
#include "text/tokenizer.h"

namespace fathom::infer {

// One object serves one answer. Without a tokenizer there is no text and no stop string.
class OutputText {
 public:
  OutputText(const text::Tokenizer* tokenizer, std::vector<std::string> stops);

  // Returns whether a stop string is complete. Appends to `out` the text that is certain.
  bool feed(int32_t token, std::vector<TextPiece>& out);
  // The answer ended otherwise: the rest, an unfinished character as U+FFFD. Returns whether that completed a
  // stop string after all.
  bool finish(std::vector<TextPiece>& out);

  // The stop string that was found.
  const std::string& stop_string() const { return filter_.found(); }

 private:
  const text::Tokenizer* tokenizer_;
  std::optional<text::StreamDecoder> decoder_;
  StopFilter filter_;
};

}  // namespace fathom::infer
