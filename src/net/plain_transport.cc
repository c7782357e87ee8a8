#include <poll.h>

#include <boost/asio/write.hpp>

#include "net/asio_transport.h"

namespace fathom::net {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  asio::awaitable<error_code> handshake() override { co_return error_code(); }

  asio::awaitable<Io> read_some(asio::mutable_buffer buffer) override {
    auto [ec, count] = co_await socket_.async_read_some(buffer, kUse);
    co_return Io{ec, count};
  }

  asio::awaitable<Io> write(asio::const_buffer bytes) override {
    auto [ec, count] = co_await asio::async_write(socket_, bytes, kUse);
    co_return Io{ec, count};
  }

  asio::awaitable<void> end_writing() override {
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    co_return;
  }

  asio::ip::tcp::socket& socket() override { return socket_; }

 private:
  asio::ip::tcp::socket socket_;
};

constexpr short kFailed = POLLHUP | POLLERR | POLLNVAL;

bool polls(asio::ip::tcp::socket& socket, short events) {
  if (!socket.is_open()) return true;
  pollfd poll_for{socket.native_handle(), POLLRDHUP, 0};
  return poll(&poll_for, 1, 0) > 0 && (poll_for.revents & events) != 0;
}

}  // namespace

std::unique_ptr<Transport> plain_transport(asio::ip::tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

void close_socket(asio::ip::tcp::socket& socket) {
  error_code ignored;
  socket.close(ignored);
}

bool peer_hung_up(asio::ip::tcp::socket& socket) { return polls(socket, POLLRDHUP | kFailed); }

bool peer_reset(asio::ip::tcp::socket& socket) { return polls(socket, kFailed); }

}  // namespace fathom::net
