#include "server/openapi.h"

namespace fathom::server {

std::string_view openapi_document() { return "{}"; }

net::Response openapi_response() {
  net::Response response;
  response.headers.set("Content-Type", "application/json");
  response.body = std::string(openapi_document());
  return response;
}

}  // namespace fathom::server
