#include "base/utf8.h"
#include "text/tokenizer.h"

namespace fathom::text {

std::string StreamDecoder::feed(int32_t id) { return feed(std::span<const int32_t>(&id, 1)); }

std::string StreamDecoder::feed(std::span<const int32_t> ids) {
  for (const int32_t id : ids)
    if (keep_special_ || !tokenizer_.is_special(id)) pending_ += tokenizer_.token_bytes(id);
  const size_t complete = utf8::complete_prefix(pending_);
  std::string out = utf8::repaired(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return out;
}

std::string StreamDecoder::flush() {
  std::string out = utf8::repaired(pending_);
  pending_.clear();
  return out;
}

}  // namespace fathom::text
