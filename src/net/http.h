// HTTP messages as values: what a handler receives and what it answers. No sockets here.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fathom::net {

// Fields in order; names compare without regard to ASCII case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  // Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  // The first value, or null.
  const std::string* find(std::string_view name) const;
  // The first value, or "".
  std::string_view get(std::string_view name) const;
  size_t count(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

 private:
  std::vector<Field> fields_;
};

struct Request {
  std::string method;  // as sent: methods are case-sensitive
  std::string target;  // as sent, without scheme and authority
  std::string path;    // percent-decoded, valid UTF-8 without NUL; begins with "/", or is "*"
  std::string query;   // as sent, without the "?"
  int minor_version = 1;
  Headers headers;   // values are valid UTF-8 (broken bytes replaced)
  std::string body;  // any bytes
  std::string peer;  // "127.0.0.1:40312", "[::1]:40312"
  bool tls = false;

  // The decoded value of the first parameter `name` of the query.
  std::optional<std::string> parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  // Content-Length, Transfer-Encoding, Connection and Date are the server's and ignored here.
  Headers headers;
  std::string body;
};

// A request that cannot be handed to the handler: the status to answer and one sentence for a person.
struct HttpError {
  int status = 0;
  std::string message;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view reason_phrase(int status);

// Percent-decoding; `plus_is_space` as in queries. Empty when an escape is broken.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

// How a response is delimited on the wire.
struct Framing {
  enum class Body { kLength, kChunked, kUntilClose };
  Body body = Body::kLength;
  int minor_version = 1;
  bool keep_alive = true;
};
// Status line and fields up to and including the empty line. Line breaks in a value become spaces: no
// response can be split. `length` is used with kLength only.
std::string response_head(int status, const Headers& headers, const Framing& framing, size_t length);

// Appends `bytes` as one chunk; nothing for no bytes, which would end the body.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace fathom::net
