#include "infer/output_text.h"

namespace fathom::infer {

OutputText::OutputText(const text::Tokenizer* tokenizer, std::vector<std::string> stops)
    : tokenizer_(tokenizer), filter_(std::move(stops)) {
  if (tokenizer_ != nullptr) decoder_.emplace(*tokenizer_);
}

bool OutputText::feed(int32_t token, std::vector<TextPiece>& out) {
  if (!decoder_) return false;
  if (!tokenizer_->is_added(token)) return filter_.feed({decoder_->feed(token), false}, out);
  // Whatever unfinished character came before an added token can no longer be completed by it.
  if (filter_.feed({decoder_->flush(), false}, out)) return true;
  return filter_.feed({decoder_->feed(token) + decoder_->flush(), true}, out);
}

bool OutputText::finish(std::vector<TextPiece>& out) {
  if (!decoder_) return false;
  if (filter_.feed({decoder_->flush(), false}, out)) return true;
  filter_.finish(out);
  return false;
}

}  // namespace fathom::infer
