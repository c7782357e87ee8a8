// Why a request is refused, and how each API says so.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/json.h"
#include "net/http.h"

namespace fathom::server {

// Whose error envelope: DeepSeek's and OpenAI's is one, Anthropic's another.
enum class Api { kOpenAi, kAnthropic };
// By the path of a request.
Api api_of(std::string_view path);

// Thrown by everything in server/ that looks at a request, and answered at its edge; never leaves the layer.
class Refusal : public std::exception {
 public:
  Refusal(int status, std::string message, std::string param = {}, std::string code = {});
  const char* what() const noexcept override { return message.c_str(); }

  int status;
  std::string message;    // one line for a person; names the field
  std::string param;      // the field, empty if it is about no single one
  std::string code;       // for programs; empty: the one that the status stands for
  int retry_after_s = 0;  // with 429 and 503
  std::string allow;      // with 405: the methods there are
};

// A value of the wrong kind: 400.
Refusal wrong_type(const std::string& field, std::string_view wanted);
// A field that must be there: 400.
Refusal missing(const std::string& field);
// A value of the right kind that cannot be used: 422 (400 where an API knows no 422).
Refusal bad_value(const std::string& field, std::string problem);
// The program's own failure: 500. `detail` is for the person who runs the server.
Refusal internal_failure(const std::string& detail);

// The object that says it; `status` is part of it inside a stream that has already begun.
OrderedJson error_json(Api api, const Refusal& refusal, bool in_stream = false);
net::Response error_response(Api api, const Refusal& refusal);
net::Response json_response(const OrderedJson& body, int status = 200);

}  // namespace fathom::server
