// One request and its answer, as the handler sees it.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace fathom::net {

// Every function may be called from any thread, at any time, also after the server is gone, and none blocks:
// bytes go to a queue of the connection. The boolean ones return false when the answer can no longer reach
// the client (it went away, the queue overflowed, or the answer was already complete). An exchange that is
// dropped unanswered answers 500; dropped in the middle of a stream it closes the connection.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // A whole answer. After keep_alive() has begun the stream, or after begin(), only the body goes out and
  // ends it. The body of an answer to HEAD is left out, its length is not.
  virtual bool respond(Response response) = 0;

  // A streamed answer: begin, any number of writes, finish. Chunked, for HTTP/1.0 until the connection
  // closes. No effect but the return value if keep_alive() has begun the stream.
  virtual bool begin(int status, const Headers& headers) = 0;
  // A client that reads too slowly, so that more than Limits::queue_bytes wait for it, loses its connection.
  virtual bool write(std::string_view bytes) = 0;
  virtual bool finish() = 0;

  // Closes the connection without completing the answer, so that the client sees a failure.
  virtual void abort() = 0;

  // Sends `text` every `interval` from now until the first write(), respond() or finish(). If nothing was
  // begun when the first interval ends, begins the stream with `status` and `headers`: an answer of another
  // status can then no longer say so. One per exchange; a later call replaces the earlier.
  virtual void keep_alive(std::chrono::milliseconds interval, std::string text, int status,
                          Headers headers) = 0;

  // Calls `gone` once, from the server's thread, as soon as the client goes away before the answer is
  // complete; at once, in this thread, if that already happened; never after the exchange was dropped. `gone`
  // must not block. A client that closed its sending side may be gone or still read. Where keep_alive() was
  // called before, its text is sent then, and `gone` called when it finds nobody, within a round trip; else
  // `gone` is called, and what is written after it still reaches a client that reads.
  virtual void on_disconnect(std::function<void()> gone) = 0;
  virtual bool disconnected() const = 0;
};

}  // namespace fathom::net
