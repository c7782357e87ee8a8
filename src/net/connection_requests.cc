// The part of a connection that takes requests out of the bytes that have come, and answers those that are
// none.
#include "net/asio_connection.h"

namespace fathom::net {

void Connection::pump() {
  try {
    while (step()) {
    }
  } catch (const std::exception&) {
    close();  // out of memory, most likely
  }
  reader_wake_.cancel();
}

// Does one thing with the buffered bytes; false when nothing can be done now.
bool Connection::step() {
  if (phase_ != Phase::kIdle && phase_ != Phase::kHead && phase_ != Phase::kBody) return false;
  if (!parser_) {
    if (queued() > kLowWater) return false;
    while (buffered().starts_with("\r\n")) consume(2);  // some clients end a body with one too many
    if (buffered().empty()) {
      if (peer_done_) end_after_flush();
      return false;
    }
    parser_ = std::make_unique<RequestParser>(core_->options.limits.parse);
    phase_ = Phase::kHead;
    arm(core_->options.limits.header_time);
  }
  const auto before = parser_->state();
  consume(parser_->feed(buffered()));
  const auto after = parser_->state();
  if (after == RequestParser::State::kFailed) return fail(parser_->error(), parser_->head()), false;
  if (before == RequestParser::State::kHead && after != before) {
    if (!admit()) return phase_ == Phase::kIdle;
    phase_ = Phase::kBody;
    arm(core_->options.limits.body_time);
    if (parser_->expects_continue() && buffered().empty()) send("HTTP/1.1 100 Continue\r\n\r\n", false);
  }
  if (!body_fits()) return false;
  if (after == RequestParser::State::kDone) return dispatch(), true;
  if (before != after && !buffered().empty()) return true;
  if (peer_done_) end_after_flush();
  return false;
}

// What is decided on the head alone; false when the request is already answered.
bool Connection::admit() {
  const Request& head = parser_->head();
  if (refuse_) return fail({503, "too many connections"}, head), false;
  if (core_->draining) return fail({503, "the server is shutting down"}, head), false;
  if (!core_->screen) return true;
  std::optional<Response> answer;
  try {
    answer = core_->screen(head);
  } catch (const std::exception&) {
    return fail({500, "internal error"}, head), false;
  }
  if (!answer) return true;
  return answer_screened(std::move(*answer)), false;
}

void Connection::answer_screened(Response response) {
  const bool complete = parser_->state() == RequestParser::State::kDone;
  const Framing framing{Framing::Body::kLength, parser_->head().minor_version,
                        complete && parser_->keep_alive()};
  std::string out = response_head(response.status, response.headers, framing, response.body.size());
  if (parser_->head().method != "HEAD") out += response.body;
  send(std::move(out), false);
  parser_.reset();
  if (framing.keep_alive) return enter_idle();
  end_after_flush();
}

bool Connection::body_fits() {
  const uint64_t now = parser_->body_bytes();
  core_->body_bytes += now - held_body_;
  held_body_ = now;
  if (core_->body_bytes <= core_->options.limits.all_body_bytes) return true;
  fail({503, "too many request bodies at once"}, parser_->head());
  return false;
}

void Connection::dispatch() {
  ExchangeImpl::Terms terms;
  terms.keep_alive = parser_->keep_alive();
  Request request = parser_->take();
  parser_.reset();
  terms.head_only = request.method == "HEAD";
  terms.minor_version = request.minor_version;
  request.peer = peer_;
  request.tls = !core_->options.tls_certificate.empty();
  current_head_ = {};
  current_head_.method = request.method;
  current_head_.target = request.target;
  current_head_.path = request.path;
  phase_ = Phase::kBusy;
  deadline_.cancel();
  ++core_->requests;
  const auto exchange = std::make_shared<ExchangeImpl>(shared_from_this(), terms);
  current_ = exchange;
  if (peer_done_) exchange->peer_done();
  try {
    core_->handler(std::move(request), exchange);
  } catch (...) {
    exchange->abandon();
  }
}

void Connection::enter_idle() {
  phase_ = Phase::kIdle;
  if (buffered().empty()) in_ = {}, in_begin_ = 0;
  arm(refuse_ ? core_->options.limits.header_time : core_->options.limits.idle_time);
}

void Connection::consume(size_t count) {
  in_begin_ += count;
  if (in_begin_ == in_.size()) in_.clear(), in_begin_ = 0;
  if (in_begin_ >= kReadAhead) in_.erase(0, in_begin_), in_begin_ = 0;
}

// --- Errors and ends.

Response Connection::error_response(const HttpError& error, const Request& head) {
  if (core_->error_page) {
    try {
      return core_->error_page(error, head);
    } catch (...) {
    }
  }
  return {error.status, {{"Content-Type", "text/plain; charset=utf-8"}}, error.message + "\n"};
}

// Answers an error and ends the connection: where the next request begins is not known.
void Connection::fail(const HttpError& error, const Request& head) {
  ++core_->refused;
  const Response response = error_response(error, head);
  const Framing framing{Framing::Body::kLength, 1, false};
  std::string out = response_head(response.status, response.headers, framing, response.body.size());
  if (head.method != "HEAD") out += response.body;
  send(std::move(out), false);
  end_after_flush();
}

void Connection::release_body() {
  core_->body_bytes -= held_body_;
  held_body_ = 0;
}

// What is queued still goes out; what comes in is discarded until the client has had time to read it.
void Connection::end_after_flush() {
  if (phase_ == Phase::kEnding || phase_ == Phase::kClosed) return;
  phase_ = Phase::kEnding;
  parser_.reset();
  release_body();
  in_ = {}, in_begin_ = 0;
  deadline_.cancel();
  ticks_.cancel();
  writer_wake_.cancel();
  reader_wake_.cancel();
}

}  // namespace fathom::net
