// HTTP/1.1 client: one connection at a time, kept open between requests; blocking, with limits on time and
// size.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"
#include "net/sse.h"

namespace fathom::net {

struct ClientOptions {
  std::string base_url;  // "https://host:port/v1": paths are appended
  Headers headers;       // sent with every request
  std::string ca_file;   // PEM, instead of the system's authorities
  bool verify = true;    // the server's certificate and name
  std::chrono::milliseconds connect_time{10'000};
  std::chrono::milliseconds silence_time{600'000};  // longest wait for the next byte
  size_t body_bytes = size_t{256} << 20;
};

// Not thread-safe: one object per thread. An answer of any status is a Response; an Error is a failure to get
// one, and names the address. After an Error the next request opens a new connection.
class HttpClient {
 public:
  // Throws Exception on a bad base_url or ca_file. Does not connect yet.
  explicit HttpClient(ClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `piece` gets the body of a 2xx answer as it comes, and the Response has none then; false closes the
  // connection and ends the call successfully.
  using Piece = std::function<bool(std::string_view)>;
  Result<Response> request(std::string_view method, std::string_view path, std::string_view body = {},
                           const Headers& headers = {}, const Piece& piece = {});

  Result<Response> get(std::string_view path) { return request("GET", path); }
  // Content-Type: application/json.
  Result<Response> post(std::string_view path, std::string_view json);
  // Posts JSON and hands out the events of a 2xx answer; false from `event` ends the call.
  Result<Response> post_for_events(std::string_view path, std::string_view json,
                                   const std::function<bool(const SseEvent&)>& event,
                                   const std::function<void(std::string_view)>& comment = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fathom::net
