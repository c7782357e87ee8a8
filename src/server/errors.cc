#include "server/errors.h"

namespace fathom::server {
namespace {

std::string_view openai_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_reached_error";
    case 500:
      return "server_error";
    case 503:
      return "service_unavailable_error";
    default:
      return "invalid_request_error";
  }
}

std::string_view openai_code(int status) {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 413:
      return "request_too_large";
    case 415:
      return "unsupported_media_type";
    case 429:
      return "queue_full";
    case 500:
      return "internal_error";
    case 503:
      return "unavailable";
    default:
      return "invalid_request_error";
  }
}

std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 500:
      return "api_error";
    case 503:
      return "overloaded_error";
    default:
      return "invalid_request_error";
  }
}

int status_in(Api api, int status) { return api == Api::kAnthropic && status == 422 ? 400 : status; }

OrderedJson text_or_null(const std::string& text) { return text.empty() ? OrderedJson() : OrderedJson(text); }

}  // namespace

Api api_of(std::string_view path) {
  const bool anthropic =
      path.starts_with("/anthropic/") || path == "/v1/messages" || path.starts_with("/v1/messages/");
  return anthropic ? Api::kAnthropic : Api::kOpenAi;
}

Refusal::Refusal(int s, std::string m, std::string p, std::string c)
    : status(s), message(std::move(m)), param(std::move(p)), code(std::move(c)) {}

Refusal wrong_type(const std::string& field, std::string_view wanted) {
  const std::string name = quotable(field, 120);
  return {400, name + ": must be " + std::string(wanted), name, "invalid_type"};
}

Refusal missing(const std::string& field) {
  const std::string name = quotable(field, 120);
  return {400, name + ": is required and missing", name, "missing_field"};
}

Refusal bad_value(const std::string& field, std::string problem) {
  const std::string name = quotable(field, 120);
  return {422, name + ": " + quotable(problem, 300), name, "invalid_value"};
}

Refusal internal_failure(const std::string& detail) {
  return {500, "The server failed on this request: " + quotable(detail, 200)};
}

OrderedJson error_json(Api api, const Refusal& r, bool in_stream) {
  if (api == Api::kAnthropic)
    return {{"type", "error"}, {"error", {{"type", anthropic_type(r.status)}, {"message", r.message}}}};
  OrderedJson error = {{"message", r.message},
                       {"type", openai_type(r.status)},
                       {"param", text_or_null(r.param)},
                       {"code", r.code.empty() ? std::string(openai_code(r.status)) : r.code}};
  if (in_stream) error["status"] = r.status;
  return {{"error", std::move(error)}};
}

net::Response json_response(const OrderedJson& body, int status) {
  net::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = json_text(body);
  return response;
}

net::Response error_response(Api api, const Refusal& r) {
  net::Response response = json_response(error_json(api, r), status_in(api, r.status));
  if (r.retry_after_s > 0) response.headers.set("Retry-After", std::to_string(r.retry_after_s));
  if (r.status == 401) response.headers.set("WWW-Authenticate", "Bearer");
  if (!r.allow.empty()) response.headers.set("Allow", r.allow);
  return response;
}

}  // namespace fathom::server
