// The checks of a request's head beyond its grammar.
#include <algorithm>

#include "base/utf8.h"
#include "net/message_parser.h"

namespace fathom::net {
namespace {

using Check = std::optional<HttpError>;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Two readers must not see two lengths: that is how requests are smuggled past a proxy.
Check check_length(const Request& request) {
  const Headers& headers = request.headers;
  const size_t lengths = headers.count("content-length"), codings = headers.count("transfer-encoding");
  if (lengths > 0 && codings > 0)
    return HttpError{400, "Content-Length and Transfer-Encoding exclude each other"};
  if (lengths > 1) return HttpError{400, "Content-Length is given twice"};
  const std::string_view length = headers.get("content-length");
  if (lengths == 1 && (length.empty() || !std::all_of(length.begin(), length.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; })))
    return HttpError{400, "Content-Length must be a number"};
  if (codings == 0) return std::nullopt;
  if (request.minor_version == 0) return HttpError{400, "HTTP/1.0 has no Transfer-Encoding"};
  if (codings > 1) return HttpError{400, "Transfer-Encoding is given twice"};
  if (!equal_ignoring_case(headers.get("transfer-encoding"), "chunked"))
    return HttpError{501, "of the transfer codings only chunked is understood"};
  return std::nullopt;
}

Check check_host(const Request& request) {
  const size_t hosts = request.headers.count("host");
  if (hosts > 1) return HttpError{400, "Host is given twice"};
  if (hosts == 0 && request.minor_version > 0) return HttpError{400, "Host is missing"};
  const std::string_view host = request.headers.get("host");
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
  };
  if (!std::all_of(host.begin(), host.end(), allowed)) return HttpError{400, "Host is not a host and port"};
  return std::nullopt;
}

// "http://host:port/path" becomes "/path", and its authority the host: a proxy's form, which every server
// must take.
void strip_authority(Request& request) {
  std::string& target = request.target;
  const size_t scheme = target.find("://");
  if (scheme == std::string::npos) return;
  const std::string_view name = std::string_view(target).substr(0, scheme);
  if (!equal_ignoring_case(name, "http") && !equal_ignoring_case(name, "https")) return;
  const size_t begin = scheme + 3;
  const size_t end = std::min(target.find_first_of("/?", begin), target.size());
  if (request.headers.count("host") == 1) request.headers.set("Host", target.substr(begin, end - begin));
  target.erase(0, end);
  if (target.empty() || target[0] == '?') target.insert(0, "/");
}

Check check_target(Request& request) {
  const std::string& target = request.target;
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#';
  };
  if (std::any_of(target.begin(), target.end(), bad))
    return HttpError{400, "the request target has characters that must be escaped"};
  if (target == "*" && request.method == "OPTIONS") {
    request.path = target;
    return std::nullopt;
  }
  if (target.empty() || target[0] != '/') return HttpError{400, "the request target must be a path"};
  const size_t question = std::min(target.find('?'), target.size());
  request.query = target.substr(std::min(target.size(), question + 1));
  auto path = percent_decoded(std::string_view(target).substr(0, question), false);
  if (!path || !utf8::valid(*path) || std::any_of(path->begin(), path->end(), is_control))
    return HttpError{400, "the path is not percent-encoded UTF-8"};
  request.path = std::move(*path);
  return std::nullopt;
}

Check check_values(Request& request) {
  Headers repaired;
  for (const auto& [name, value] : request.headers) {
    if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
      return HttpError{400, "a header value has control characters"};
    repaired.add(name, utf8::valid(value) ? value : utf8::repaired(value));
  }
  request.headers = std::move(repaired);
  return std::nullopt;
}

}  // namespace

std::optional<HttpError> check_head(Request& request, const ParseLimits& limits) {
  if (request.target.size() > limits.target_bytes)
    return HttpError{414,
                     "the request target is longer than " + std::to_string(limits.target_bytes) + " bytes"};
  if (request.headers.size() > limits.header_fields)
    return HttpError{431, "the header has more than " + std::to_string(limits.header_fields) + " fields"};
  if (request.method == "CONNECT") return HttpError{501, "CONNECT is for proxies"};
  strip_authority(request);
  if (auto error = check_target(request)) return error;
  if (auto error = check_values(request)) return error;
  if (auto error = check_host(request)) return error;
  if (auto error = check_length(request)) return error;
  const std::string* expect = request.headers.find("expect");
  if (expect && !equal_ignoring_case(*expect, "100-continue"))
    return HttpError{417, "of the expectations only 100-continue is understood"};
  return std::nullopt;
}

}  // namespace fathom::net
