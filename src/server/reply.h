// The answer to one request on its way out: whole or as events, errors in the API's envelope.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/exchange.h"
#include "server/errors.h"

namespace fathom::server {

// Any thread, one at a time; nothing blocks. The boolean functions return false once the client cannot be
// reached.
class Reply {
 public:
  // `headers` go with every answer; `answered` is told its status.
  Reply(std::shared_ptr<net::Exchange> exchange, Api api, net::Headers headers,
        std::function<void(int)> answered);

  // Events rather than one document; before accept().
  void set_streamed(bool streamed) { streamed_ = streamed; }

  // The request is accepted: a stream begins; from now until the first byte a line says every `keep_alive`
  // that the answer is still coming.
  void accept(std::chrono::milliseconds keep_alive);

  bool respond(net::Response response);
  bool event(std::string_view data, std::string_view name = {});
  bool finish();
  // The error as a whole answer, or as the last event of a stream that has begun.
  void fail(const Refusal& refusal);
  void abort();

  net::Exchange& exchange() { return *exchange_; }
  Api api() const { return api_; }
  bool streamed() const { return streamed_; }

 private:
  net::Headers with(const net::Headers& more) const;

  std::shared_ptr<net::Exchange> exchange_;
  Api api_;
  net::Headers headers_;
  std::function<void(int)> answered_;
  bool streamed_ = false;
  bool begun_ = false;
};

}  // namespace fathom::server
