#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "net/asio_connection.h"

namespace fathom::net {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kWritePiece = 16 << 10;    // what must get through within Limits::write_time
constexpr size_t kIdleRead = 4 << 10;       // read buffer but while a body comes
constexpr size_t kLingerBytes = 64u << 20;  // discarded at most from a client that goes on sending
constexpr auto kHangUpPoll = std::chrono::milliseconds(250);

}  // namespace

Connection::Connection(std::shared_ptr<ServerCore> core, std::unique_ptr<Transport> transport,
                       std::string peer, bool refuse)
    : core_(std::move(core)),
      transport_(std::move(transport)),
      peer_(std::move(peer)),
      refuse_(refuse),
      strand_(transport_->socket().get_executor()),
      deadline_(strand_),
      write_deadline_(strand_),
      writer_wake_(strand_),
      reader_wake_(strand_),
      ticks_(strand_) {}

void Connection::start() {
  asio::co_spawn(
      strand_, [self = shared_from_this()] { return self->read_loop(); },
      [self = shared_from_this()](std::exception_ptr error) {
        if (error) self->close();
      });
}

// --- Reading.

asio::awaitable<void> Connection::read_loop() {
  if (phase_ == Phase::kClosed) co_return;
  arm(core_->options.limits.header_time);
  if (co_await transport_->handshake()) co_return close();
  if (phase_ == Phase::kClosed) co_return;
  asio::co_spawn(
      strand_, [self = shared_from_this()] { return self->write_loop(); },
      [self = shared_from_this()](std::exception_ptr error) {
        if (error) self->close();
      });
  enter_idle();
  std::vector<char> buffer;
  size_t discarded = 0;
  for (;;) {
    co_await wait_for_room();
    if (phase_ == Phase::kClosed) co_return;
    const size_t wanted = phase_ == Phase::kBody ? kReadAhead : kIdleRead;
    if (buffer.size() != wanted) buffer = std::vector<char>(wanted);
    const auto [ec, count] = co_await transport_->read_some(asio::buffer(buffer));
    if (phase_ == Phase::kClosed) co_return;
    if (ec) {
      read_ended(ec);
      co_return co_await wait_for_reset();
    }
    if (phase_ == Phase::kEnding) {
      discarded += count;
      if (discarded > kLingerBytes) co_return close();
      continue;
    }
    in_.append(buffer.data(), count);
    pump();
  }
}

// While the buffer is full nothing is read, so a closed peer has to be asked for.
asio::awaitable<void> Connection::wait_for_room() {
  while ((phase_ == Phase::kBusy || phase_ == Phase::kIdle) && buffered().size() >= kReadAhead) {
    if (peer_reset(transport_->socket())) co_return close();
    if (peer_hung_up(transport_->socket())) {
      if (const auto exchange = current_.lock()) exchange->peer_done();
    }
    reader_wake_.expires_after(kHangUpPoll);
    co_await reader_wake_.async_wait(kUse);
  }
}

// After the peer's end only a failure can come, when it turns out that it does not read either.
asio::awaitable<void> Connection::wait_for_reset() {
  while (phase_ != Phase::kClosed) {
    co_await transport_->socket().async_wait(asio::ip::tcp::socket::wait_error, kUse);
    if (phase_ == Phase::kClosed) co_return;
    if (peer_reset(transport_->socket())) co_return close();
    // Something else, urgent data for instance, that may go on to wake the wait.
    reader_wake_.expires_after(kHangUpPoll);
    co_await reader_wake_.async_wait(kUse);
  }
}

void Connection::read_ended(error_code ec) {
  if (ec != asio::error::eof || phase_ == Phase::kEnding) return close();
  peer_done_ = true;
  if (const auto exchange = current_.lock()) exchange->peer_done();
  pump();
}

// --- Ends.

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  // Before a write can fail, so that whoever learns of it there was told already.
  try {
    if (const auto exchange = current_.lock()) exchange->notify_gone();
  } catch (...) {
  }
  {
    const std::lock_guard lock(out_mutex_);
    out_closed_ = true;
    pending_ = {};
  }
  close_socket(transport_->socket());
  parser_.reset();
  release_body();
  in_ = {}, in_begin_ = 0;
  for (auto* timer : {&deadline_, &write_deadline_, &writer_wake_, &reader_wake_, &ticks_}) timer->cancel();
  const std::lock_guard lock(core_->mutex);
  core_->open.erase(this);
  core_->changed.notify_all();
}

void Connection::arm(std::chrono::milliseconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait([self = shared_from_this()](error_code ec) {
    // A timer that was set anew may already have queued this call.
    if (!ec && Clock::now() >= self->deadline_.expiry()) self->deadline_passed();
  });
}

void Connection::deadline_passed() {
  switch (phase_) {
    case Phase::kHead:
      return fail({408, "the header took too long"}, parser_->head());
    case Phase::kBody:
      return fail({408, "the body took too long"}, parser_->head());
    case Phase::kIdle:
      return end_after_flush();
    case Phase::kHandshake:
    case Phase::kEnding:
      return close();
    case Phase::kBusy:
    case Phase::kClosed:
      return;
  }
}

// --- Writing.

size_t Connection::queued() {
  const std::lock_guard lock(out_mutex_);
  return pending_.size() + in_flight_;
}

asio::awaitable<void> Connection::write_loop() {
  for (;;) {
    {
      const std::lock_guard lock(out_mutex_);
      in_flight_ = 0;
      writing_.clear();
      if (out_closed_) co_return;
      std::swap(writing_, pending_);
      in_flight_ = writing_.size();
      writer_waits_ = writing_.empty();
      if (writer_waits_ && pending_.capacity() > kWritePiece) pending_ = {};
    }
    if (!writing_.empty()) {
      if (!co_await write_pieces()) co_return close();
      continue;
    }
    if (writing_.capacity() > kWritePiece) writing_ = {};
    if (phase_ == Phase::kEnding) break;
    pump();
    if (phase_ == Phase::kEnding) continue;
    writer_wake_.expires_at(Clock::time_point::max());
    co_await writer_wake_.async_wait(kUse);
  }
  arm(core_->options.limits.linger_time);
  if (peer_done_) co_return close();
  co_await transport_->end_writing();
}

asio::awaitable<bool> Connection::write_pieces() {
  for (size_t at = 0; at < writing_.size(); at += kWritePiece) {
    write_deadline_.expires_after(core_->options.limits.write_time);
    write_deadline_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec && Clock::now() >= self->write_deadline_.expiry()) self->close();
    });
    const size_t count = std::min(kWritePiece, writing_.size() - at);
    const auto [ec, written] = co_await transport_->write(asio::buffer(writing_.data() + at, count));
    if (ec || phase_ == Phase::kClosed) co_return false;
    const std::lock_guard lock(out_mutex_);
    in_flight_ -= count;
  }
  write_deadline_.cancel();
  co_return true;
}

// --- From other threads. Nothing is posted after close(): the io_context may have run out.

template <class Function>
void Connection::post_if_open(Function function) {
  const std::lock_guard lock(out_mutex_);
  if (out_closed_) return;
  asio::post(strand_, [self = shared_from_this(), function = std::move(function)]() mutable {
    if (self->phase_ != Phase::kClosed) function(*self);
  });
}

bool Connection::send(std::string bytes, bool bounded) {
  const std::lock_guard lock(out_mutex_);
  if (out_closed_ || overflowed_) return false;
  const size_t waiting = pending_.size() + in_flight_;
  if (bounded && waiting > 0 && waiting + bytes.size() > core_->options.limits.queue_bytes) {
    overflowed_ = true;
    ++core_->overflows;
    asio::post(strand_, [self = shared_from_this()] { self->close(); });
    return false;
  }
  if (pending_.empty())
    pending_ = std::move(bytes);
  else
    pending_ += bytes;
  if (std::exchange(writer_waits_, false))
    asio::post(strand_, [self = shared_from_this()] { self->writer_wake_.cancel(); });
  return true;
}

void Connection::completed(bool keep) {
  post_if_open([keep](Connection& self) {
    self.current_.reset();
    self.ticks_.cancel();
    self.release_body();
    if (!keep || self.core_->draining) return self.end_after_flush();
    self.enter_idle();
    self.pump();
  });
}

void Connection::abandoned(bool begun) {
  post_if_open([begun](Connection& self) {
    if (begun) return self.close();
    self.fail({500, "internal error"}, self.current_head_);
  });
}

void Connection::close_soon() {
  post_if_open([](Connection& self) { self.close(); });
}

void Connection::start_ticks(std::chrono::milliseconds interval) {
  post_if_open([interval](Connection& self) { self.tick_later(interval); });
}

void Connection::tick_later(std::chrono::milliseconds interval) {
  ticks_.expires_after(interval);
  ticks_.async_wait([self = shared_from_this(), interval](error_code ec) {
    if (ec || self->phase_ != Phase::kBusy) return;
    const auto exchange = self->current_.lock();
    if (exchange && exchange->tick()) self->tick_later(interval);
  });
}

void Connection::post_drain() {
  post_if_open([](Connection& self) {
    if (self.phase_ == Phase::kHandshake) return self.close();
    if (self.phase_ == Phase::kIdle) return self.end_after_flush();
    if (self.phase_ == Phase::kHead || self.phase_ == Phase::kBody)
      self.fail({503, "the server is shutting down"}, self.parser_->head());
  });
}

void Connection::post_close() { close_soon(); }

}  // namespace fathom::net
