// Inside net/ only (includes Asio): a connected byte stream, plain or TLS, one virtual call per operation, so
// that the code above it is compiled once.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <utility>

namespace fathom::net {

namespace asio = boost::asio;
using boost::system::error_code;
// Errors of awaited operations come as codes, not as exceptions.
inline constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

// One read and one write may be under way at once; all calls on the socket's executor. Errors come as codes.
class Transport {
 public:
  using Io = std::pair<error_code, size_t>;

  virtual ~Transport() = default;
  virtual asio::awaitable<error_code> handshake() = 0;
  virtual asio::awaitable<Io> read_some(asio::mutable_buffer buffer) = 0;
  virtual asio::awaitable<Io> write(asio::const_buffer bytes) = 0;  // all of them
  // Tells the peer that nothing follows; may wait for its answer.
  virtual asio::awaitable<void> end_writing() = 0;
  // The socket below: to close it (which ends operations under way) and to look at it.
  virtual asio::ip::tcp::socket& socket() = 0;
};

std::unique_ptr<Transport> plain_transport(asio::ip::tcp::socket socket);

// Certificates and policy of one side. Thread-safe.
class TlsContext;
// Throws Exception naming the file.
std::shared_ptr<TlsContext> server_tls(const std::string& certificate_file, const std::string& key_file);
// `ca_file`: PEM, instead of the system's authorities. Throws Exception naming the file.
std::shared_ptr<TlsContext> client_tls(const std::string& ca_file, bool verify);

std::unique_ptr<Transport> server_tls_transport(asio::ip::tcp::socket socket,
                                                std::shared_ptr<TlsContext> context);
// `host` is the name or address that the certificate must be for.
std::unique_ptr<Transport> client_tls_transport(asio::ip::tcp::socket socket,
                                                std::shared_ptr<TlsContext> context, const std::string& host);

// Closes the socket, whatever state it is in.
void close_socket(asio::ip::tcp::socket& socket);
// The peer has closed its side or the connection failed, even if unread bytes wait before that.
bool peer_hung_up(asio::ip::tcp::socket& socket);
// The connection failed: the peer was reset, or both sides are closed.
bool peer_reset(asio::ip::tcp::socket& socket);

}  // namespace fathom::net
