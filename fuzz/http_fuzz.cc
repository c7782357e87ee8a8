// Bytes of a client: the parser that the server uses, one request after another. Whatever the cuts, the
// outcome is the same, within the limits, and fit to be handed on.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "net/message_parser.h"
#include "net/sse.h"
#include "net/url.h"

namespace {

using fathom::net::ParseLimits;
using fathom::net::Request;
using fathom::net::RequestParser;
using State = RequestParser::State;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const Request& request, const ParseLimits& limits) {
  require(request.path == "*" || request.path.starts_with("/"));
  require(fathom::utf8::valid(request.path) && request.path.find('\0') == std::string::npos);
  require(request.target.size() <= limits.target_bytes && request.headers.size() <= limits.header_fields);
  require(request.body.size() <= limits.body_bytes);
  require(request.headers.count("host") <= 1 && request.headers.count("content-length") <= 1);
  require(request.headers.count("content-length") + request.headers.count("transfer-encoding") <= 1);
  for (const auto& [name, value] : request.headers) {
    require(!name.empty() && fathom::utf8::valid(value) && value.find_first_of("\r\n") == std::string::npos);
  }
  static_cast<void>(request.parameter("q"));
}

// The requests that a server would see in `bytes` when they come in pieces of `step`.
std::string outcome(std::string_view bytes, size_t step) {
  const ParseLimits limits{512, 128, 8, 256};
  std::string seen, waiting;
  size_t at = 0;
  for (int requests = 0; requests < 8; ++requests) {
    RequestParser parser(limits);
    for (;;) {
      const State before = parser.state();
      const size_t used = parser.feed(waiting);
      require(used <= waiting.size());
      waiting.erase(0, used);
      if (parser.state() == State::kDone || parser.state() == State::kFailed) break;
      if (parser.state() != before || used > 0) continue;
      if (at >= bytes.size()) return seen;
      waiting += bytes.substr(at, step);
      at += step;
      require(waiting.size() <= step + (16 << 10));
    }
    // How soon nonsense is seen to be nonsense may depend on the cuts; what is accepted may not.
    if (parser.state() == State::kFailed) return seen;
    static_cast<void>(parser.keep_alive());
    const Request request = parser.take();
    check(request, limits);
    seen += request.method + " " + request.path + "?" + request.query + "\n" + request.body + "\n";
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = outcome(bytes, bytes.size() + 1);
  require(outcome(bytes, 1 + data[0]) == whole);
  fathom::net::SseParser events(1000);
  events.feed(bytes, [](const fathom::net::SseEvent& event) { return event.data.size() <= 1000; });
  static_cast<void>(fathom::net::parse_url(bytes));
  return 0;
}
