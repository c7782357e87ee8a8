// HTTP/1.1 parsers over bytes in memory: what the server and the client feed from their sockets, and the
// fuzzer from its input. Neither throws on any input nor holds more than its limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"

namespace fathom::net {

struct ParseLimits {
  size_t header_bytes = 32 << 10;  // request line and fields together
  size_t target_bytes = 8 << 10;
  size_t header_fields = 100;
  uint64_t body_bytes = uint64_t{16} << 20;
};

// Completes and checks a head whose method, target, minor version and headers stand: sets path and query,
// strips an absolute target (whose authority replaces Host), repairs UTF-8 in values. Refuses what could be
// read in two ways: repeated or mixed lengths, unknown transfer codings, no or two hosts, control characters,
// broken escapes.
std::optional<HttpError> check_head(Request& request, const ParseLimits& limits);

// One request. Not thread-safe.
class RequestParser {
 public:
  enum class State { kHead, kBody, kDone, kFailed };

  explicit RequestParser(const ParseLimits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Consumes a prefix of `bytes` and returns its length; the caller passes the rest again together with what
  // follows. Stops behind the head, so that the caller can look at it, and behind the request.
  size_t feed(std::string_view bytes);

  State state() const { return state_; }
  // kFailed only.
  const HttpError& error() const { return error_; }
  // From kBody on complete but for the body; before, and after a failure, as far as it is known.
  const Request& head() const { return request_; }
  size_t body_bytes() const;
  bool keep_alive() const;
  // The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const;
  // kDone only, once.
  Request take();

 private:
  void fail(int status, std::string message);
  size_t head_length(std::string_view bytes);
  void finish_head();
  void copy_head();

  struct Impl;
  ParseLimits limits_;
  std::unique_ptr<Impl> impl_;
  size_t scanned_ = 0;
  State state_ = State::kHead;
  HttpError error_;
  Request request_;
};

// One response. Not thread-safe.
class ResponseParser {
 public:
  enum class State { kHead, kBody, kDone, kFailed };

  // `to_head`: the answer to HEAD, which has no body whatever its fields say.
  ResponseParser(size_t header_bytes, bool to_head);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  size_t feed(std::string_view bytes);
  // The peer closed: completes a body that ends there, fails anything else unfinished.
  void feed_end();

  State state() const { return state_; }
  const std::string& error() const { return error_; }
  // From kBody on; the body is empty.
  const Response& head() const { return head_; }
  bool keep_alive() const;
  // The body bytes that came since the last call.
  std::string take_body();

 private:
  void finish_head();

  struct Impl;
  std::unique_ptr<Impl> impl_;
  State state_ = State::kHead;
  std::string error_;
  Response head_;
};

}  // namespace fathom::net
