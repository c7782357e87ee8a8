// The server's mind: takes requests from net/, asks the engine, answers.
#pragma once

#include <atomic>
#include <memory>

#include "net/server.h"
#include "server/metrics.h"
#include "server/plan.h"
#include "server/reply.h"
#include "server/router.h"
#include "server/served_model.h"
#include "server/workers.h"

namespace fathom::server {

// Any thread, but for construction, close() and destruction. When close() is called, the net::Server that
// calls it has stopped; when it is destroyed, the engine is gone.
class Service {
 public:
  Service(ServedModel model, ServiceOptions options);

  // What net::Server calls.
  void handle(net::Request request, std::shared_ptr<net::Exchange> exchange);
  std::optional<net::Response> screen(const net::Request& head);
  net::Response error_page(const net::HttpError& error, const net::Request& head);

  // Whose figures /metrics shows.
  void watch(const net::Server* server) { net_ = server; }
  // No new work from now on; what runs goes on.
  void drain() { draining_ = true; }
  // Ends the threads that give requests to the engine. After that the engine may go.
  void close() { workers_.reset(); }

 private:
  using ReplyPtr = std::shared_ptr<Reply>;
  net::Headers common_headers(const net::Request& request) const;
  void check_access(const net::Request& head, const Route& route) const;
  void serve(const Route& route, const net::Request& request, const ReplyPtr& reply);
  net::Response answer(const Route& route, const net::Request& request);
  void chat(const net::Request& request, const ReplyPtr& reply);
  void completion(const net::Request& request, const ReplyPtr& reply);
  void messages(const net::Request& request, const ReplyPtr& reply);
  void responses(const net::Request& request, const ReplyPtr& reply);
  OrderedJson count_tokens(const net::Request& request) const;
  void check_queue(size_t choices) const;
  void start(std::vector<ChoicePlan> choices, std::unique_ptr<AnswerSink> sink, const ReplyPtr& reply);
  std::string metrics_text() const;

  ServedModel model_;
  ServiceOptions options_;
  Metrics metrics_;
  std::atomic<bool> draining_{false};
  std::atomic<const net::Server*> net_{nullptr};
  std::unique_ptr<Workers> workers_;
};

}  // namespace fathom::server
