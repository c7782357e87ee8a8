#include "net/exchange_impl.h"

#include <utility>

#include "base/check.h"

namespace fathom::net {

bool ExchangeImpl::begin_locked(int status, const Headers& headers) {
  framing_.minor_version = terms_.minor_version;
  framing_.body = terms_.minor_version > 0 ? Framing::Body::kChunked : Framing::Body::kUntilClose;
  framing_.keep_alive = terms_.keep_alive && terms_.minor_version > 0 && !host_->draining();
  state_ = State::kStreaming;
  return host_->send(response_head(status, headers, framing_, 0), false);
}

bool ExchangeImpl::send_piece_locked(std::string_view bytes, bool bounded) {
  if (terms_.head_only || bytes.empty()) return true;
  if (framing_.body == Framing::Body::kUntilClose) return host_->send(std::string(bytes), bounded);
  std::string framed;
  framed.reserve(bytes.size() + 24);
  append_chunk(framed, bytes);
  return host_->send(std::move(framed), bounded);
}

bool ExchangeImpl::complete_locked(std::string bytes) {
  state_ = State::kDone;
  ticking_ = false;
  const bool sent = bytes.empty() || host_->send(std::move(bytes), false);
  host_->completed(framing_.keep_alive);
  return sent;
}

bool ExchangeImpl::respond(Response response) {
  std::function<void()> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return false;
  dropped = std::move(on_gone_);
  if (state_ == State::kStreaming) {
    const bool sent = send_piece_locked(response.body, false);
    const bool chunked = framing_.body == Framing::Body::kChunked && !terms_.head_only;
    return complete_locked(chunked ? std::string(kLastChunk) : std::string()) && sent;
  }
  framing_ = {Framing::Body::kLength, terms_.minor_version, terms_.keep_alive && !host_->draining()};
  std::string out = response_head(response.status, response.headers, framing_, response.body.size());
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!terms_.head_only && !bodiless) out += response.body;
  return complete_locked(std::move(out));
}

bool ExchangeImpl::begin(int status, const Headers& headers) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return false;
  return state_ == State::kStreaming || begin_locked(status, headers);
}

bool ExchangeImpl::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return false;
  FATHOM_CHECK(state_ == State::kStreaming);
  if (!bytes.empty()) ticking_ = false;
  return send_piece_locked(bytes, true);
}

bool ExchangeImpl::finish() {
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return false;
  FATHOM_CHECK(state_ == State::kStreaming);
  dropped = std::move(on_gone_);
  const bool chunked = framing_.body == Framing::Body::kChunked && !terms_.head_only;
  return complete_locked(chunked ? std::string(kLastChunk) : std::string());
}

void ExchangeImpl::abort() {
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return;
  dropped = std::move(on_gone_);
  state_ = State::kDone;
  ticking_ = false;
  host_->close_soon();
}

void ExchangeImpl::abandon() {
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return;
  dropped = std::move(on_gone_);
  const bool begun = state_ == State::kStreaming;
  state_ = State::kDone;
  ticking_ = false;
  host_->abandoned(begun);
}

void ExchangeImpl::keep_alive(std::chrono::milliseconds interval, std::string text, int status,
                              Headers headers) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kDone) return;
  tick_text_ = std::move(text);
  tick_head_.status = status;
  tick_head_.headers = std::move(headers);
  ticking_ = true;
  host_->start_ticks(interval);
  if (half_closed_) tick_locked();
}

bool ExchangeImpl::tick() {
  const std::lock_guard lock(mutex_);
  return ticking_ && state_ != State::kDone && tick_locked();
}

bool ExchangeImpl::tick_locked() {
  if (state_ == State::kUnanswered) begin_locked(tick_head_.status, tick_head_.headers);
  return send_piece_locked(tick_text_, true);
}

// Whoever has closed both sides answers the text with a reset, which the connection notices.
void ExchangeImpl::peer_done() {
  bool gone = false;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kDone || std::exchange(half_closed_, true)) return;
    if (tick_text_.empty())
      gone = on_gone_ != nullptr;
    else
      tick_locked();
  }
  if (gone) notify_gone();
}

void ExchangeImpl::on_disconnect(std::function<void()> gone) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kDone) return;
    gone_ = gone_locked();
    if (!gone_) {
      std::swap(on_gone_, gone);
      return;
    }
  }
  gone();
}

bool ExchangeImpl::disconnected() const {
  const std::lock_guard lock(mutex_);
  return gone_locked();
}

void ExchangeImpl::notify_gone() {
  std::function<void()> gone;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || state_ == State::kDone) return;
    gone_ = true;
    gone = std::move(on_gone_);
  }
  if (gone) gone();
}

}  // namespace fathom::net
