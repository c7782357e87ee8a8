#include "infer/stop_filter.h"

#include <algorithm>

namespace fathom::infer {

StopFilter::StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase(stops_, std::string());
  for (const std::string& s : stops_) longest_ = std::max(longest_, s.size());
}

bool StopFilter::feed(const TextPiece& piece, std::vector<TextPiece>& out) {
  if (piece.text.empty()) return false;
  if (!active()) {
    out.push_back(piece);
    return false;
  }
  held_ += piece.text;
  borders_.push_back({held_.size(), piece.special});
  size_t first = std::string::npos;
  for (const std::string& s : stops_)
    if (const size_t at = held_.find(s); at < first) first = at, found_ = s;
  if (first != std::string::npos) {
    release(first, out);
    held_.clear();
    borders_.clear();
    return true;
  }
  // The longest end of the text that some stop string begins with stays.
  size_t keep = std::min(held_.size(), longest_ - 1);
  const auto may_become_stop = [&](size_t length) {
    const std::string_view end = std::string_view(held_).substr(held_.size() - length);
    return std::any_of(stops_.begin(), stops_.end(),
                       [&](const std::string& s) { return s.starts_with(end); });
  };
  while (keep > 0 && !may_become_stop(keep)) --keep;
  release(held_.size() - keep, out);
  return false;
}

void StopFilter::finish(std::vector<TextPiece>& out) { release(held_.size(), out); }

void StopFilter::release(size_t bytes, std::vector<TextPiece>& out) {
  size_t begin = 0, used = 0;
  for (; used < borders_.size() && begin < bytes; ++used) {
    const size_t end = std::min(borders_[used].end, bytes);
    // A part of a special token is plain text: the rest of it belongs to a stop string.
    const bool whole = borders_[used].end <= bytes;
    out.push_back({held_.substr(begin, end - begin), borders_[used].special && whole});
    begin = end;
    if (!whole) break;
  }
  borders_.erase(borders_.begin(), borders_.begin() + static_cast<std::ptrdiff_t>(used));
  held_.erase(0, bytes);
  for (Border& b : borders_) b.end -= bytes;
}

}  // namespace fathom::infer
