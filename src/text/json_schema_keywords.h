// Which keywords a schema may use, and what its parts are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "text/json_schema.h"

namespace fathom::text {

// A schema and the way to it, "#/properties/a".
struct SchemaPlace {
  const OrderedJson* schema;
  std::string path;
};

Error schema_error(const std::string& where, const SchemaPlace& place, const std::string& keyword,
                   const std::string& problem, const std::string& remedy = "remove or change it");

// nullptr: no such key.
const OrderedJson* find_keyword(const OrderedJson& schema, const char* keyword);

// Checks that every keyword of `place` (not of its parts) is one that `rules` know, has the right kind of
// value, and may stand beside the others. REQUIRES: the schema is an object.
Status check_keywords(const SchemaPlace& place, SchemaRules rules, const std::string& where);

enum class JsonType : uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };
// By its name in schemas.
std::optional<JsonType> json_type(std::string_view name);
bool has_type(const OrderedJson& value, JsonType type);
// The types `type` names, or those that other keywords imply; empty: any. REQUIRES: checked keywords.
std::vector<JsonType> types_of(const OrderedJson& schema);

// Finds the parts of a schema document that references like "#/$defs/a" name. One thread at a time.
class ReferenceIndex {
 public:
  explicit ReferenceIndex(const OrderedJson& root) : root_(root) {}
  // nullptr: leads nowhere.
  const OrderedJson* find(std::string_view reference);

 private:
  const OrderedJson* member(const OrderedJson& object, const std::string& name);

  const OrderedJson& root_;
  // Members of large objects, which would be searched from the first on.
  std::unordered_map<const OrderedJson*, std::unordered_map<std::string_view, const OrderedJson*>> members_;
};

// The regular expression of a format that is enforced; nullopt: not supported.
std::optional<std::string> format_pattern(std::string_view format);

}  // namespace fathom::text
