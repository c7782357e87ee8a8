#include "server/reply.h"

#include "net/sse.h"

namespace fathom::server {
namespace {

const net::Headers& event_headers() {
  static const net::Headers headers = {{"Content-Type", std::string(net::kSseContentType)},
                                       {"Cache-Control", "no-cache"},
                                       {"X-Accel-Buffering", "no"}};
  return headers;
}

}  // namespace

Reply::Reply(std::shared_ptr<net::Exchange> exchange, Api api, net::Headers headers,
             std::function<void(int)> answered)
    : exchange_(std::move(exchange)),
      api_(api),
      headers_(std::move(headers)),
      answered_(std::move(answered)) {}

net::Headers Reply::with(const net::Headers& more) const {
  net::Headers all = headers_;
  for (const auto& [name, value] : more) all.set(name, value);
  return all;
}

void Reply::accept(std::chrono::milliseconds keep_alive) {
  if (!streamed_)
    return exchange_->keep_alive(keep_alive, "\n", 200, with({{"Content-Type", "application/json"}}));
  begun_ = true;
  answered_(200);
  const net::Headers headers = with(event_headers());
  exchange_->begin(200, headers);
  exchange_->keep_alive(keep_alive, std::string(net::kSseKeepAlive), 200, headers);
}

bool Reply::respond(net::Response response) {
  answered_(response.status);
  response.headers = with(response.headers);
  return exchange_->respond(std::move(response));
}

bool Reply::event(std::string_view data, std::string_view name) {
  return exchange_->write(net::sse_event(data, name));
}

bool Reply::finish() { return exchange_->finish(); }

void Reply::fail(const Refusal& refusal) {
  if (!begun_) {
    respond(error_response(api_, refusal));
    return;
  }
  event(json_text(error_json(api_, refusal, true)), api_ == Api::kAnthropic ? "error" : "");
  finish();
}

void Reply::abort() { exchange_->abort(); }

}  // namespace fathom::server
