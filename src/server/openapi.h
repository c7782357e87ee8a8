// The document at /openapi.json.
#pragma once

#include <string_view>

#include "net/http.h"

namespace fathom::server {

// OpenAPI 3.1, the whole API. Constant; any thread.
std::string_view openapi_document();
net::Response openapi_response();

}  // namespace fathom::server
