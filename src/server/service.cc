#include "server/service.h"

#include "server/access.h"
#include "server/ids.h"
#include "server/model_list.h"
#include "server/openapi.h"
#include "server/page.h"
#include "server/tokenize.h"

namespace fathom::server {
namespace {

constexpr int kWorkers = 2;
constexpr size_t kMostTasks = 4096;
constexpr int kRetrySeconds = 5;

bool is_json(const net::Request& r) {
  std::string_view type = r.headers.get("Content-Type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return net::equal_ignoring_case(type, "application/json");
}

Refusal queue_full(int64_t limit) {
  Refusal refusal(429,
                  "The queue is full: " + std::to_string(limit) + " requests wait already; try again later");
  refusal.retry_after_s = kRetrySeconds;
  return refusal;
}

net::Response text_response(std::string text, std::string_view type) {
  net::Response response;
  response.headers.set("Content-Type", std::string(type));
  response.body = std::move(text);
  return response;
}

net::Response add_headers(net::Response response, const net::Headers& more) {
  for (const auto& [name, value] : more) response.headers.set(name, value);
  return response;
}

net::Response preflight() {
  net::Response response;
  response.status = 204;
  response.headers = {
      {"Access-Control-Allow-Methods", "GET, POST"},
      {"Access-Control-Allow-Headers", "*, Authorization, Content-Type, x-api-key, anthropic-version"},
      {"Access-Control-Max-Age", "600"}};
  return response;
}

}  // namespace

Service::Service(ServedModel model, ServiceOptions options)
    : model_(std::move(model)),
      options_(std::move(options)),
      workers_(std::make_unique<Workers>(kWorkers, kMostTasks)) {}

net::Headers Service::common_headers(const net::Request& r) const {
  net::Headers out = cors_headers(r, options_);
  const std::string id = random_id("req_");
  out.set(api_of(r.path) == Api::kAnthropic ? "request-id" : "x-request-id", id);
  return out;
}

void Service::check_access(const net::Request& head, const Route& route) const {
  if (route.method == "POST" && !is_json(head))
    throw Refusal(415, "The body must be JSON: send the header Content-Type: application/json");
  if (!draining_ || !route.generates()) return;
  Refusal refusal(503, "The server is shutting down and takes no new requests");
  refusal.code = "draining";
  refusal.retry_after_s = kRetrySeconds;
  throw refusal;
}

std::optional<net::Response> Service::screen(const net::Request& head) {
  try {
    if (options_.check_host && !names_loopback(head))
      throw Refusal(403, "The Host header must be a name of this machine: localhost, 127.0.0.1 or [::1]");
    if (is_preflight(head, options_)) return add_headers(preflight(), common_headers(head));
    const bool open = is_page_file(head.path) || head.path == "/health";
    if (!open && !options_.api_keys.empty() && !has_key(head, options_.api_keys))
      throw Refusal(401, "No valid API key: send the header Authorization: Bearer KEY");
    check_access(head, route_of(head));
    return {};
  } catch (const Refusal& refusal) {
    metrics_.count_request("refused", refusal.status);
    return add_headers(error_response(api_of(head.path), refusal), common_headers(head));
  }
}

net::Response Service::error_page(const net::HttpError& error, const net::Request& head) {
  metrics_.count_request("refused", error.status);
  Refusal refusal(error.status, error.message);
  if (error.status == 503) refusal.retry_after_s = kRetrySeconds;
  return add_headers(error_response(api_of(head.path), refusal), common_headers(head));
}

void Service::handle(net::Request request, std::shared_ptr<net::Exchange> exchange) {
  const Route* route = nullptr;
  std::optional<Refusal> refusal;
  try {
    route = &route_of(request);
  } catch (const Refusal& r) {
    refusal = r;
  }
  const auto count = [this, pattern = route == nullptr ? "refused" : route->pattern](int status) {
    metrics_.count_request(pattern, status);
  };
  const auto reply =
      std::make_shared<Reply>(std::move(exchange), api_of(request.path), common_headers(request), count);
  if (route == nullptr) return reply->fail(*refusal);
  if (route->method != "POST") return serve(*route, request, reply);
  auto shared = std::make_shared<net::Request>(std::move(request));
  if (!workers_->post([this, route, shared, reply] { serve(*route, *shared, reply); }))
    reply->fail(queue_full(static_cast<int64_t>(kMostTasks)));
}

// Whatever goes wrong is answered.
void Service::serve(const Route& route, const net::Request& request, const ReplyPtr& reply) {
  try {
    switch (route.endpoint) {
      case Endpoint::kChat:
        return chat(request, reply);
      case Endpoint::kCompletions:
        return completion(request, reply);
      case Endpoint::kMessages:
        return messages(request, reply);
      case Endpoint::kResponses:
        return responses(request, reply);
      default:
        reply->respond(answer(route, request));
    }
  } catch (const Refusal& refusal) {
    reply->fail(refusal);
  } catch (const Exception& e) {
    reply->fail(Refusal(400, e.error().line(), e.error().key));
  } catch (const std::exception& e) {
    reply->fail(internal_failure(e.what()));
  }
}

net::Response Service::answer(const Route& route, const net::Request& request) {
  switch (route.endpoint) {
    case Endpoint::kTokenize:
      return json_response(tokenize(request.body, model_));
    case Endpoint::kDetokenize:
      return json_response(detokenize(request.body, model_));
    case Endpoint::kCountTokens:
      return json_response(count_tokens(request));
    case Endpoint::kModels:
      return json_response(model_list(model_));
    case Endpoint::kModel: {
      const OrderedJson entry = model_entry(model_, last_segment(request.path));
      if (entry.is_null()) throw Refusal(404, "model: there is no such model", "model", "model_not_found");
      return json_response(entry);
    }
    case Endpoint::kBalance:
      return json_response(balance());
    case Endpoint::kHealth:
      return json_response({{"status", "ok"}});
    case Endpoint::kReady:
      return json_response({{"status", draining_ ? "draining" : "ready"}}, draining_ ? 503 : 200);
    case Endpoint::kMetrics:
      return text_response(metrics_text(), Metrics::kContentType);
    case Endpoint::kOpenApi:
      return text_response(openapi_document(model_, options_), "application/json");
    case Endpoint::kPage:
      return page_file(request);
    default:
      throw internal_failure("a route without an answer");
  }
}

std::string Service::metrics_text() const {
  const net::Server* server = net_;
  return metrics_.text(model_.engine, server == nullptr ? net::ServerStats{} : server->stats());
}

void Service::check_queue(size_t choices) const {
  const infer::EngineStats stats = model_.engine.stats();
  if (stats.waiting > 0 && stats.waiting + static_cast<int64_t>(choices) > options_.max_queue)
    throw queue_full(options_.max_queue);
}

}  // namespace fathom::server
