#include "server/router.h"

#include <array>

#include "server/errors.h"
#include "server/page.h"

namespace fathom::server {
namespace {

using E = Endpoint;

constexpr std::array kRoutes = {
    Route{E::kChat, "POST", "/chat/completions"},
    Route{E::kChat, "POST", "/v1/chat/completions"},
    Route{E::kChat, "POST", "/beta/chat/completions"},
    Route{E::kChat, "POST", "/beta/v1/chat/completions"},
    Route{E::kCompletions, "POST", "/completions"},
    Route{E::kCompletions, "POST", "/v1/completions"},
    Route{E::kCompletions, "POST", "/beta/completions"},
    Route{E::kCompletions, "POST", "/beta/v1/completions"},
    Route{E::kMessages, "POST", "/v1/messages"},
    Route{E::kMessages, "POST", "/anthropic/v1/messages"},
    Route{E::kCountTokens, "POST", "/v1/messages/count_tokens"},
    Route{E::kCountTokens, "POST", "/anthropic/v1/messages/count_tokens"},
    Route{E::kResponses, "POST", "/responses"},
    Route{E::kResponses, "POST", "/v1/responses"},
    Route{E::kTokenize, "POST", "/tokenize"},
    Route{E::kDetokenize, "POST", "/detokenize"},
    Route{E::kModels, "GET", "/models"},
    Route{E::kModels, "GET", "/v1/models"},
    Route{E::kModels, "GET", "/beta/models"},
    Route{E::kModels, "GET", "/anthropic/v1/models"},
    Route{E::kModel, "GET", "/models/{model}"},
    Route{E::kModel, "GET", "/v1/models/{model}"},
    Route{E::kModel, "GET", "/anthropic/v1/models/{model}"},
    Route{E::kBalance, "GET", "/user/balance"},
    Route{E::kHealth, "GET", "/health", true},
    Route{E::kReady, "GET", "/ready"},
    Route{E::kMetrics, "GET", "/metrics"},
    Route{E::kOpenApi, "GET", "/openapi.json"},
};
constexpr Route kPageRoute = {E::kPage, "GET", "/ (page)", true};

bool matches(std::string_view pattern, std::string_view path) {
  const size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) return pattern == path;
  return path.size() > brace && path.starts_with(pattern.substr(0, brace)) &&
         path.find('/', brace) == std::string_view::npos;
}

bool fits(std::string_view method, std::string_view wanted) {
  return method == wanted || (method == "HEAD" && wanted == "GET");
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

const Route& route_of(const net::Request& r) {
  const Route* known = is_page_file(r.path) ? &kPageRoute : nullptr;
  for (const Route& route : kRoutes)
    if (known == nullptr && matches(route.pattern, r.path)) known = &route;
  if (known == nullptr)
    throw Refusal(404,
                  "There is nothing at " + quotable(r.path, 100) + "; /openapi.json lists what there is");
  if (fits(r.method, known->method)) return *known;
  Refusal refusal(405, quotable(r.path, 100) + " does not take " + quotable(r.method, 20) + "; use " +
                           std::string(known->method));
  refusal.allow = known->method == "GET" ? "GET, HEAD" : std::string(known->method);
  throw refusal;
}

std::string last_segment(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace fathom::server
