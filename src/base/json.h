// JSON from files and the network: one parse function, with limits. Uses nlohmann::json as the document type.
//
// Refused beyond what the grammar refuses: nesting deeper than the limit, an object with the same key twice, documents
// longer than the limit, a byte order mark. Broken UTF-8 is refused by the parser itself.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fathom {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // keeps the order of keys: schemas, tool arguments

struct JsonLimits {
  int depth = 64;
  size_t bytes = size_t{1} << 30;
};

// `where` names the source in the error. Numbers beyond 64 bits become doubles, as nlohmann reads them.
Result<Json> parse_json(std::string_view text, const std::string& where, JsonLimits limits = {});
Result<OrderedJson> parse_ordered_json(std::string_view text, const std::string& where, JsonLimits limits = {});

// Events of one document, for files whose tree would be too large to build. A handler that returns false stops the
// parse; the caller then knows why. Same limits, but repeated keys are the handler's to find.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual bool key(std::string&) { return true; }
  virtual bool string(std::string&) { return true; }
  virtual bool integer(int64_t) { return true; }
  virtual bool number(double) { return true; }
  virtual bool boolean(bool) { return true; }
  virtual bool null() { return true; }
  virtual bool begin_object() { return true; }
  virtual bool end_object() { return true; }
  virtual bool begin_array() { return true; }
  virtual bool end_array() { return true; }
};
Status parse_json_events(std::string_view text, const std::string& where, JsonEvents& events, JsonLimits limits = {});

// The text of a document; invalid UTF-8 is replaced. Python's json.dumps spacing (", " and ": ") with `python_style`,
// which also escapes everything beyond ASCII.
std::string json_text(const Json& value);
std::string json_text(const OrderedJson& value, bool python_style = false);

}  // namespace fathom
