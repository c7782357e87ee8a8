#include "net/sse.h"

namespace fathom::net {

std::string sse_event(std::string_view data, std::string_view name) {
  std::string out;
  out.reserve(data.size() + name.size() + 32);
  if (!name.empty()) {
    out += "event: ";
    for (const char c : name) out += c == '\r' || c == '\n' ? ' ' : c;
    out += '\n';
  }
  // A carriage return ends a line too, in whatever form it comes.
  out += "data: ";
  for (size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\r' && i + 1 < data.size() && data[i + 1] == '\n') continue;
    if (data[i] == '\n' || data[i] == '\r') {
      out += "\ndata: ";
    } else {
      out += data[i];
    }
  }
  out += "\n\n";
  return out;
}

bool SseParser::line(std::string_view text, const std::function<bool(const SseEvent&)>& event,
                     const std::function<void(std::string_view)>& comment) {
  if (text.empty()) {
    const bool keep = !has_data_ || event(event_);
    event_ = {};
    has_data_ = false;
    return keep;
  }
  if (text[0] == ':') {
    if (comment) comment(text.substr(1));
    return true;
  }
  const size_t colon = text.find(':');
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (!value.empty() && value[0] == ' ') value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
  return event_.data.size() <= limit_;
}

bool SseParser::feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& event,
                     const std::function<void(std::string_view)>& comment) {
  for (size_t at = 0; at < bytes.size() && !stopped_;) {
    if (after_return_ && bytes[at] == '\n') ++at;
    after_return_ = false;
    const size_t end = bytes.find_first_of("\r\n", at);
    line_ += bytes.substr(at, end == std::string_view::npos ? end : end - at);
    if (line_.size() > limit_) stopped_ = true;
    if (end == std::string_view::npos || stopped_) break;
    after_return_ = bytes[end] == '\r';
    at = end + 1;
    stopped_ = !line(line_, event, comment);
    line_.clear();
  }
  return !stopped_;
}

}  // namespace fathom::net
