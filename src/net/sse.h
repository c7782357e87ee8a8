// Server-sent events: writing them and reading them back.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace fathom::net {

inline constexpr std::string_view kSseContentType = "text/event-stream; charset=utf-8";
inline constexpr std::string_view kSseKeepAlive = ": keep-alive\n\n";

// One event: "event: NAME" when a name is given, then one "data: " line for each line of `data`, then an
// empty line.
std::string sse_event(std::string_view data, std::string_view name = {});

struct SseEvent {
  std::string name;  // "" when the event has none
  std::string data;
};

// Takes a stream of events apart, whatever the cuts between pieces. Not thread-safe.
class SseParser {
 public:
  // An event longer than `limit` bytes makes feed() return false; so does every later call.
  explicit SseParser(size_t limit = size_t{16} << 20) : limit_(limit) {}
  // Calls `event` for each complete event, `comment` for each comment line (without the colon). A callback
  // that returns false stops: the rest is dropped and feed() returns false from then on.
  bool feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& event,
            const std::function<void(std::string_view)>& comment = {});

 private:
  bool line(std::string_view text, const std::function<bool(const SseEvent&)>& event,
            const std::function<void(std::string_view)>& comment);

  size_t limit_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_return_ = false;
  bool stopped_ = false;
};

}  // namespace fathom::net
