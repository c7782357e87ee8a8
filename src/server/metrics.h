// What the server counts, in Prometheus' text format. A registry of our own: the library that Debian has
// exists only as a shared object, and the program must run where that is not installed.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "infer/engine.h"
#include "net/server.h"
#include "server/answer.h"
#include "server/histogram.h"

namespace fathom::server {

// Any thread.
class Metrics {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  Histogram first_token, between_tokens, queue, request;

  // An answered request; `route` is the pattern of its path, so that clients cannot make up series.
  void count_request(std::string_view route, int status);
  void count_answer(const AnswerUsage& usage);
  void count_disconnect();

  std::string text(const infer::Engine& engine, const net::ServerStats& net) const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::pair<std::string, int>, uint64_t> requests_;
  uint64_t answers_ = 0, reasoning_tokens_ = 0, disconnects_ = 0;
};

}  // namespace fathom::server
