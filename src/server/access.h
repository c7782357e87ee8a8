// Who may ask: keys, host names, origins.
#pragma once

#include "net/http.h"
#include "server/served_model.h"

namespace fathom::server {

// Whether the request carries one of the keys, as "Authorization: Bearer KEY" or "x-api-key: KEY". The time
// it takes does not depend on how much of a key is right.
bool has_key(const net::Request& request, const std::vector<std::string>& keys);

// Whether the Host header is a name of this machine for itself, so that no other site's name leads here.
bool names_loopback(const net::Request& request);

// What allows a page of an allowed origin to read the answer; nothing for others.
net::Headers cors_headers(const net::Request& request, const ServiceOptions& options);
// Whether this is a browser's question before a request from an allowed origin.
bool is_preflight(const net::Request& request, const ServiceOptions& options);

}  // namespace fathom::server
