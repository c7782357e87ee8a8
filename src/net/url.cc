#include "net/url.h"

#include <algorithm>
#include <charconv>

namespace fathom::net {

std::string Url::authority() const {
  std::string out = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> parse_url(std::string_view text) {
  const auto refuse = [text](const char* problem) {
    return Error{quotable(std::string(text)), "", problem,
                 "write http://HOST:PORT or https://HOST, with a path if any"};
  };
  Url url;
  if (text.starts_with("https://"))
    url.tls = true;
  else if (!text.starts_with("http://"))
    return refuse("not an http or https address");
  std::string_view rest = text.substr(url.tls ? 8 : 7);
  if (std::any_of(rest.begin(), rest.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }))
    return refuse("has blanks or control characters");
  if (rest.find_first_of("@?#") != std::string_view::npos) return refuse("has a user, a query or a fragment");
  const size_t slash = std::min(rest.find('/'), rest.size());
  url.path = rest.substr(slash);
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  std::string_view authority = rest.substr(0, slash);
  if (authority.starts_with("[")) {
    const size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return refuse("has a bracket without its pair");
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  if (url.host.empty()) return refuse("names no host");
  url.port = url.tls ? 443 : 80;
  if (authority.empty()) return url;
  const char* end = authority.data() + authority.size();
  const auto [stop, error] = std::from_chars(authority.data() + 1, end, url.port);
  if (authority[0] != ':' || error != std::errc() || stop != end || url.port == 0)
    return refuse("has no valid port");
  return url;
}

}  // namespace fathom::net
