// Inside net/ only (includes Asio): one connection of the server.
//
// A reader and a writer coroutine share a strand; every function that is not marked thread-safe runs on it.
// The reader never stops while an answer is computed, so that a client that goes away is noticed at once;
// what it reads ahead is bounded. pump() takes requests out of the buffer, one at a time: pipelined ones are
// answered in order.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "net/asio_transport.h"
#include "net/exchange_impl.h"
#include "net/server.h"

namespace fathom::net {

class Connection;

// What the connections of one server share. Outlives the server as long as an exchange does.
struct ServerCore {
  ServerOptions options;
  Handler handler;
  ErrorPage error_page;
  Screen screen;
  asio::io_context io;
  std::atomic<bool> draining{false};
  std::atomic<uint64_t> accepted{0}, requests{0}, refused{0}, overflows{0}, body_bytes{0};

  std::mutex mutex;  // of the rest
  std::condition_variable changed;
  bool stopped = false;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> open;

  ServerCore(ServerOptions o, Handler h, ErrorPage e, Screen s)
      : options(std::move(o)),
        handler(std::move(h)),
        error_page(std::move(e)),
        screen(std::move(s)),
        io(options.threads) {}
};

class Connection final : public ExchangeHost, public std::enable_shared_from_this<Connection> {
 public:
  // `refuse`: one connection too many, every request is answered 503.
  Connection(std::shared_ptr<ServerCore> core, std::unique_ptr<Transport> transport, std::string peer,
             bool refuse);

  void start();
  // Thread-safe.
  void post_drain();
  void post_close();

  // ExchangeHost, thread-safe.
  bool send(std::string bytes, bool bounded) override;
  void completed(bool keep) override;
  void abandoned(bool begun) override;
  void close_soon() override;
  void start_ticks(std::chrono::milliseconds interval) override;
  bool draining() const override { return core_->draining; }

 private:
  static constexpr size_t kReadAhead = 64 << 10;  // bytes of later requests held while one is answered
  static constexpr size_t kLowWater = 64 << 10;   // the next request waits until fewer bytes of answers do

  enum class Phase { kHandshake, kIdle, kHead, kBody, kBusy, kEnding, kClosed };

  asio::awaitable<void> read_loop();
  asio::awaitable<void> write_loop();
  asio::awaitable<bool> write_pieces();
  asio::awaitable<void> wait_for_room();
  asio::awaitable<void> wait_for_reset();
  void read_ended(error_code ec);

  void pump();
  bool step();
  bool admit();
  bool body_fits();
  void dispatch();
  void answer_screened(Response response);
  void enter_idle();
  void fail(const HttpError& error, const Request& head);
  Response error_response(const HttpError& error, const Request& head);
  void end_after_flush();
  void close();

  void arm(std::chrono::milliseconds time);
  void deadline_passed();
  void tick_later(std::chrono::milliseconds interval);
  std::string_view buffered() const { return std::string_view(in_).substr(in_begin_); }
  void consume(size_t count);
  void release_body();
  size_t queued();
  template <class Function>
  void post_if_open(Function function);

  // First, so that the io_context outlives the sockets and timers.
  const std::shared_ptr<ServerCore> core_;
  const std::unique_ptr<Transport> transport_;
  const std::string peer_;
  const bool refuse_;
  const asio::any_io_executor strand_;
  asio::steady_timer deadline_, write_deadline_, writer_wake_, reader_wake_, ticks_;

  Phase phase_ = Phase::kHandshake;
  std::string in_;
  size_t in_begin_ = 0;
  std::unique_ptr<RequestParser> parser_;
  uint64_t held_body_ = 0;
  bool peer_done_ = false;
  Request current_head_;  // method and path of the request under way
  std::weak_ptr<ExchangeImpl> current_;
  std::string writing_;

  std::mutex out_mutex_;  // of the rest
  std::string pending_;
  size_t in_flight_ = 0;
  bool writer_waits_ = false;
  bool overflowed_ = false;
  bool out_closed_ = false;
};

}  // namespace fathom::net
