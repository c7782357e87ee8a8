// Inside net/: the state of one answer, between the handler's threads and the connection.
#pragma once

#include <memory>
#include <mutex>

#include "net/exchange.h"

namespace fathom::net {

// What an exchange needs of its connection. Thread-safe, never blocks, never calls back into the exchange.
class ExchangeHost {
 public:
  virtual ~ExchangeHost() = default;
  // Queues bytes; false when the connection is closed, or when `bounded` and too many wait already, which
  // closes it.
  virtual bool send(std::string bytes, bool bounded) = 0;
  // The answer is complete; `keep`: the connection may go on.
  virtual void completed(bool keep) = 0;
  // The handler lost the exchange; `begun`: parts of an answer went out.
  virtual void abandoned(bool begun) = 0;
  virtual void close_soon() = 0;
  // Calls ExchangeImpl::tick() after `interval`, and again as long as it returns true.
  virtual void start_ticks(std::chrono::milliseconds interval) = 0;
  virtual bool draining() const = 0;
};

class ExchangeImpl final : public Exchange {
 public:
  struct Terms {
    bool head_only = false;  // the method was HEAD
    bool keep_alive = true;
    int minor_version = 1;
  };
  ExchangeImpl(std::shared_ptr<ExchangeHost> host, Terms terms) : host_(std::move(host)), terms_(terms) {}
  ~ExchangeImpl() override { abandon(); }

  bool respond(Response response) override;
  bool begin(int status, const Headers& headers) override;
  bool write(std::string_view bytes) override;
  bool finish() override;
  void abort() override;
  void keep_alive(std::chrono::milliseconds interval, std::string text, int status, Headers headers) override;
  void on_disconnect(std::function<void()> gone) override;
  bool disconnected() const override;

  // From the connection: sends one keep-alive text; false when no more are wanted.
  bool tick();
  void notify_gone();
  // The client has closed its sending side.
  void peer_done();
  // The handler failed: ends what is unfinished.
  void abandon();

 private:
  enum class State { kUnanswered, kStreaming, kDone };

  bool begin_locked(int status, const Headers& headers);
  bool send_piece_locked(std::string_view bytes, bool bounded);
  bool complete_locked(std::string bytes);
  bool tick_locked();
  bool gone_locked() const { return gone_ || (half_closed_ && tick_text_.empty()); }

  const std::shared_ptr<ExchangeHost> host_;
  const Terms terms_;
  mutable std::mutex mutex_;
  State state_ = State::kUnanswered;
  Framing framing_;
  bool gone_ = false;
  bool half_closed_ = false;
  bool ticking_ = false;
  std::string tick_text_;
  Response tick_head_;
  std::function<void()> on_gone_;
};

}  // namespace fathom::net
