#include "server/access.h"

#include <algorithm>

#include "net/constant_time.h"

namespace fathom::server {
namespace {

bool matches_any(std::string_view given, const std::vector<std::string>& keys) {
  bool found = false;
  for (const std::string& key : keys) found |= net::equal_in_constant_time(given, key);
  return found;
}

bool is_ipv4_loopback(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int dots = 0;
  for (const char c : host) {
    if (c == '.')
      ++dots;
    else if (c < '0' || c > '9')
      return false;
  }
  return dots == 3;
}

bool allows(std::string_view origin, const std::vector<std::string>& allowed) {
  return std::ranges::any_of(allowed, [origin](const std::string& a) { return a == "*" || a == origin; });
}

}  // namespace

bool has_key(const net::Request& r, const std::vector<std::string>& keys) {
  bool found = false;
  if (const std::string* header = r.headers.find("Authorization")) {
    constexpr std::string_view kScheme = "Bearer ";
    const std::string_view value = *header;
    if (value.size() > kScheme.size() && net::equal_ignoring_case(value.substr(0, kScheme.size()), kScheme))
      found |= matches_any(value.substr(std::min(value.find_first_not_of(' ', kScheme.size()), value.size())),
                           keys);
  }
  if (const std::string* key = r.headers.find("x-api-key")) found |= matches_any(*key, keys);
  return found;
}

bool names_loopback(const net::Request& r) {
  std::string_view host = r.headers.get("Host");
  if (host.starts_with("[")) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return net::equal_ignoring_case(host, "localhost") || is_ipv4_loopback(host);
}

net::Headers cors_headers(const net::Request& r, const ServiceOptions& options) {
  net::Headers out;
  if (options.cors_origins.empty()) return out;
  out.set("Vary", "Origin");
  const std::string_view origin = r.headers.get("Origin");
  if (origin.empty() || !allows(origin, options.cors_origins)) return out;
  out.set("Access-Control-Allow-Origin", std::string(origin));
  out.set("Access-Control-Expose-Headers", "x-request-id, request-id, Retry-After");
  return out;
}

bool is_preflight(const net::Request& r, const ServiceOptions& options) {
  return r.method == "OPTIONS" && allows(r.headers.get("Origin"), options.cors_origins) &&
         r.headers.find("Access-Control-Request-Method") != nullptr;
}

}  // namespace fathom::server
