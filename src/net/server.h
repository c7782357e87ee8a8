// HTTP/1.1 server, plain or TLS: keep-alive, pipelining, streamed answers, limits on everything a client can
// send.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/exchange.h"
#include "net/http.h"
#include "net/message_parser.h"

namespace fathom::net {

struct Limits {
  ParseLimits parse;
  std::chrono::milliseconds header_time{
      10'000};  // from a request's first byte to the end of its head; TLS handshake
  std::chrono::milliseconds body_time{120'000};  // from there to the end of its body
  std::chrono::milliseconds idle_time{75'000};   // between requests, and before the first
  std::chrono::milliseconds write_time{30'000};  // for the client to take 16 KiB
  std::chrono::milliseconds linger_time{
      2'000};                            // for the client to see the last answer before its input is cut off
  size_t connections = 2'048;            // the next ones get 503
  size_t queue_bytes = size_t{1} << 20;  // streamed bytes that wait for one client
  uint64_t all_body_bytes = uint64_t{512} << 20;  // request bodies of all connections; beyond it 503
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name whose first address is taken
  uint16_t port = 0;               // 0: a free one
  std::string tls_certificate;     // PEM files, chain first; both or neither
  std::string tls_key;
  int threads = 1;  // handlers run on these
  Limits limits;
};

// Calls on a server's thread; may answer there or later from any other. Must not block. An exception becomes
// a 500.
using Handler = std::function<void(Request, std::shared_ptr<Exchange>)>;
// The answer to a request that never reaches the handler; of `head` may be set what was read, at times
// nothing.
using ErrorPage = std::function<Response(const HttpError&, const Request& head)>;
// Looks at a head before the body is read, to refuse early (no key, no such path): the answer, or nothing to
// go on.
using Screen = std::function<std::optional<Response>(const Request& head)>;

struct Address {
  std::string host;  // numeric
  uint16_t port = 0;
  bool tls = false;
  // "http://127.0.0.1:8000"
  std::string url() const;
};

struct ServerStats {
  size_t connections = 0;   // open now
  uint64_t accepted = 0;    // since the start
  uint64_t requests = 0;    // handed to the handler
  uint64_t refused = 0;     // answered by the error page
  uint64_t overflows = 0;   // connections closed because their reader was too slow
  uint64_t body_bytes = 0;  // request bodies held now
};

// start(), stop() and drain() from one thread that is none of the server's; the rest from any.
class Server {
 public:
  Server(ServerOptions options, Handler handler, ErrorPage error_page = {}, Screen screen = {});
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens and returns; throws Exception that names the address, or the certificate or key file.
  void start();
  Address address() const;

  // Accepts no more, closes idle connections, refuses requests that are still being read with 503, and waits
  // until the running answers are complete, at most `seconds`. Returns whether all were. Then stops.
  bool drain(double seconds);
  // Closes everything at once; running exchanges see a disconnect.
  void stop();

  ServerStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Raises this process's limit of open files to at least `files` where the system allows it; returns the limit
// now.
size_t raise_open_file_limit(size_t files);

}  // namespace fathom::net
