// Which path leads where.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/http.h"

namespace fathom::server {

enum class Endpoint {
  kChat,
  kCompletions,
  kMessages,
  kCountTokens,
  kResponses,
  kTokenize,
  kDetokenize,  // POST, JSON
  kModels,
  kModel,
  kBalance,
  kHealth,
  kReady,
  kMetrics,
  kOpenApi,
  kPage  // GET
};

struct Route {
  Endpoint endpoint;
  std::string_view method;
  std::string_view pattern;  // for metrics and documents; a path in braces stands for any segment
  bool open = false;         // needs no key

  bool generates() const { return endpoint <= Endpoint::kResponses && endpoint != Endpoint::kCountTokens; }
};

std::span<const Route> routes();

// The route of a request, or the Refusal 404 or 405 is thrown. HEAD goes where GET goes.
const Route& route_of(const net::Request& request);
// The last segment of a path like /v1/models/{model}.
std::string last_segment(const std::string& path);

}  // namespace fathom::server
