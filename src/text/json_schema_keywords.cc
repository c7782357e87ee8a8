#include "text/json_schema_keywords.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace fathom::text {
namespace {

enum class KeywordKind : uint8_t {
  kPassedOver,
  kType,
  kReference,
  kString,
  kCount,  // a whole number from 0
  kNumber,
  kPositive,  // a number above 0
  kArray,     // not empty
  kAnyValue,
  kSchema,
  kSchemas,  // array of schemas, not empty
  kNamed,    // object of schemas
  kNames,    // array of strings
  kRefused
};

struct Keyword {
  const char* name;
  KeywordKind kind;
  bool deepseek, openai;  // beside kLoose, which takes all that are not refused
};

constexpr Keyword kKeywords[] = {
    {"type", KeywordKind::kType, true, true},
    {"enum", KeywordKind::kArray, true, true},
    {"const", KeywordKind::kAnyValue, true, true},
    {"anyOf", KeywordKind::kSchemas, true, true},
    {"allOf", KeywordKind::kSchemas, false, false},
    {"$ref", KeywordKind::kReference, true, true},
    {"$defs", KeywordKind::kNamed, true, true},
    {"$def", KeywordKind::kNamed, true, true},
    {"definitions", KeywordKind::kNamed, true, true},
    {"properties", KeywordKind::kNamed, true, true},
    {"required", KeywordKind::kNames, true, true},
    {"additionalProperties", KeywordKind::kSchema, true, true},
    {"items", KeywordKind::kSchema, true, true},
    {"prefixItems", KeywordKind::kSchemas, false, false},
    {"minItems", KeywordKind::kCount, false, true},
    {"maxItems", KeywordKind::kCount, false, true},
    {"pattern", KeywordKind::kString, true, true},
    {"format", KeywordKind::kString, true, true},
    {"minLength", KeywordKind::kCount, false, false},
    {"maxLength", KeywordKind::kCount, false, false},
    {"minimum", KeywordKind::kNumber, true, true},
    {"maximum", KeywordKind::kNumber, true, true},
    {"exclusiveMinimum", KeywordKind::kNumber, true, true},
    {"exclusiveMaximum", KeywordKind::kNumber, true, true},
    {"multipleOf", KeywordKind::kPositive, true, true},
    {"title", KeywordKind::kPassedOver, true, true},
    {"description", KeywordKind::kPassedOver, true, true},
    {"default", KeywordKind::kPassedOver, true, true},
    {"example", KeywordKind::kPassedOver, true, true},
    {"examples", KeywordKind::kPassedOver, true, true},
    {"deprecated", KeywordKind::kPassedOver, true, true},
    {"readOnly", KeywordKind::kPassedOver, true, true},
    {"writeOnly", KeywordKind::kPassedOver, true, true},
    {"$schema", KeywordKind::kPassedOver, true, true},
    {"$id", KeywordKind::kPassedOver, true, true},
    {"$comment", KeywordKind::kPassedOver, true, true},
    {"oneOf", KeywordKind::kRefused, false, false},
    {"not", KeywordKind::kRefused, false, false},
    {"if", KeywordKind::kRefused, false, false},
    {"then", KeywordKind::kRefused, false, false},
    {"else", KeywordKind::kRefused, false, false},
    {"patternProperties", KeywordKind::kRefused, false, false},
    {"propertyNames", KeywordKind::kRefused, false, false},
    {"minProperties", KeywordKind::kRefused, false, false},
    {"maxProperties", KeywordKind::kRefused, false, false},
    {"dependencies", KeywordKind::kRefused, false, false},
    {"dependentRequired", KeywordKind::kRefused, false, false},
    {"dependentSchemas", KeywordKind::kRefused, false, false},
    {"unevaluatedProperties", KeywordKind::kRefused, false, false},
    {"unevaluatedItems", KeywordKind::kRefused, false, false},
    {"additionalItems", KeywordKind::kRefused, false, false},
    {"contains", KeywordKind::kRefused, false, false},
    {"minContains", KeywordKind::kRefused, false, false},
    {"maxContains", KeywordKind::kRefused, false, false},
    {"uniqueItems", KeywordKind::kRefused, false, false},
    {"contentEncoding", KeywordKind::kRefused, false, false},
    {"contentMediaType", KeywordKind::kRefused, false, false},
    {"contentSchema", KeywordKind::kRefused, false, false},
    {"$anchor", KeywordKind::kRefused, false, false},
    {"$dynamicRef", KeywordKind::kRefused, false, false},
    {"$dynamicAnchor", KeywordKind::kRefused, false, false},
    {"$recursiveRef", KeywordKind::kRefused, false, false},
    {"$recursiveAnchor", KeywordKind::kRefused, false, false},
};

const Keyword* keyword_named(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kKeywords, [&](const Keyword& keyword) { return name == keyword.name; });
  return found == std::end(kKeywords) ? nullptr : found;
}

bool is_schema(const OrderedJson& value) { return value.is_object() || value.is_boolean(); }

bool all_of(const OrderedJson& values, bool (*holds)(const OrderedJson&)) {
  return std::all_of(values.begin(), values.end(), holds);
}

bool is_type_name(const OrderedJson& value) {
  return value.is_string() && json_type(value.get_ref<const std::string&>()).has_value();
}

// What a keyword's value must be; nullptr: it is.
const char* wrong(KeywordKind kind, const OrderedJson& value) {
  const auto unless = [](bool right, const char* wanted) { return right ? nullptr : wanted; };
  const bool finite = value.is_number() && std::isfinite(value.get<double>());
  switch (kind) {
    case KeywordKind::kPassedOver:
    case KeywordKind::kAnyValue:
    case KeywordKind::kRefused:
      return nullptr;
    case KeywordKind::kType:
      return unless(
          is_type_name(value) || (value.is_array() && !value.empty() && all_of(value, is_type_name)),
          "must be a type (object, array, string, number, integer, boolean, null) or a list of them");
    case KeywordKind::kReference:
    case KeywordKind::kString:
      return unless(value.is_string(), "must be a string");
    case KeywordKind::kCount:
      return unless(value.is_number_integer() && value.get<int64_t>() >= 0, "must be a whole number from 0");
    case KeywordKind::kNumber:
      return unless(finite, "must be a number");
    case KeywordKind::kPositive:
      return unless(finite && value.get<double>() > 0, "must be a number above 0");
    case KeywordKind::kArray:
      return unless(value.is_array() && !value.empty(), "must be an array that is not empty");
    case KeywordKind::kSchema:
      return unless(is_schema(value), "must be a schema");
    case KeywordKind::kSchemas:
      return unless(value.is_array() && !value.empty() && all_of(value, is_schema),
                    "must be an array of schemas that is not empty");
    case KeywordKind::kNamed:
      return unless(value.is_object() && all_of(value, is_schema), "must be an object of schemas");
    case KeywordKind::kNames:
      return unless(value.is_array() && all_of(value, [](const OrderedJson& v) { return v.is_string(); }),
                    "must be an array of strings");
  }
  return nullptr;
}

// Keywords that decide everything by themselves: others cannot be enforced beside them.
Status check_company(const SchemaPlace& place, const std::string& where) {
  for (const char* alone : {"$ref", "anyOf", "allOf", "enum", "const"}) {
    if (find_keyword(*place.schema, alone) == nullptr) continue;
    const bool literal = std::string_view(alone) == "enum" || std::string_view(alone) == "const";
    for (const auto& item : place.schema->items()) {
      const Keyword* keyword = keyword_named(item.key());
      if (keyword == nullptr || item.key() == alone || keyword->kind == KeywordKind::kPassedOver) continue;
      const bool definitions = item.key() == "$defs" || item.key() == "$def" || item.key() == "definitions";
      if (definitions || (literal && (item.key() == "type" || item.key() == "enum"))) continue;
      return schema_error(where, place, item.key(), std::string("cannot be enforced beside ") + alone,
                          "move it into the schemas concerned");
    }
  }
  return Ok{};
}

// What both kinds of strict schemas demand.
Status check_strict(const SchemaPlace& place, const std::string& where) {
  const OrderedJson& schema = *place.schema;
  const bool typed =
      std::ranges::any_of(std::initializer_list<const char*>{"type", "enum", "const", "anyOf", "$ref"},
                          [&](const char* k) { return find_keyword(schema, k) != nullptr; });
  if (!typed) return schema_error(where, place, "type", "is missing", "add it: strict schemas need it");
  const auto types = types_of(schema);
  if (std::ranges::find(types, JsonType::kArray) != types.end() && find_keyword(schema, "items") == nullptr &&
      find_keyword(schema, "enum") == nullptr && find_keyword(schema, "const") == nullptr)
    return schema_error(where, place, "items", "is missing", "add it: strict schemas need it for arrays");
  if (std::ranges::find(types, JsonType::kObject) == types.end()) return Ok{};
  const OrderedJson* additional = find_keyword(schema, "additionalProperties");
  if (additional == nullptr || *additional != false)
    return schema_error(where, place, "additionalProperties", "must be false in a strict schema", "set it");
  const OrderedJson* properties = find_keyword(schema, "properties");
  const OrderedJson* required = find_keyword(schema, "required");
  if (properties == nullptr) return Ok{};
  std::unordered_set<std::string_view> listed;
  if (required != nullptr) {
    for (const OrderedJson& name : *required) listed.insert(name.get_ref<const std::string&>());
  }
  for (const auto& property : properties->items()) {
    if (listed.contains(property.key())) continue;
    return schema_error(where, place, "required",
                        "must list every property, \"" + quotable(property.key()) + "\" too",
                        "add it, with null among its types if it may be absent");
  }
  return Ok{};
}

constexpr std::pair<const char*, JsonType> kTypes[] = {
    {"null", JsonType::kNull},     {"boolean", JsonType::kBoolean}, {"integer", JsonType::kInteger},
    {"number", JsonType::kNumber}, {"string", JsonType::kString},   {"array", JsonType::kArray},
    {"object", JsonType::kObject}};

}  // namespace

Error schema_error(const std::string& where, const SchemaPlace& place, const std::string& keyword,
                   const std::string& problem, const std::string& remedy) {
  return {where, quotable(keyword), problem + " (at " + quotable(place.path, 120) + ")", remedy};
}

const OrderedJson* find_keyword(const OrderedJson& schema, const char* keyword) {
  const auto found = schema.find(keyword);
  return found == schema.end() ? nullptr : &*found;
}

Status check_keywords(const SchemaPlace& place, SchemaRules rules, const std::string& where) {
  for (const auto& item : place.schema->items()) {
    const Keyword* keyword = keyword_named(item.key());
    const bool loose = rules == SchemaRules::kLoose;
    if (keyword == nullptr && loose) continue;
    if (keyword == nullptr) return schema_error(where, place, item.key(), "is not a supported keyword");
    const bool allowed = rules == SchemaRules::kDeepSeek ? keyword->deepseek
                         : rules == SchemaRules::kOpenAi ? keyword->openai
                                                         : keyword->kind != KeywordKind::kRefused;
    // additionalItems and uniqueItems may say what holds anyway.
    const bool idle = item.value() == false && (item.key() == "uniqueItems");
    if (!allowed && !(loose && idle)) {
      return schema_error(where, place, item.key(),
                          loose || keyword->kind == KeywordKind::kRefused
                              ? "is not supported"
                              : "is not supported in strict schemas");
    }
    if (const char* problem = wrong(keyword->kind, item.value()))
      return schema_error(where, place, item.key(), problem, "correct it");
  }
  if (auto status = check_company(place, where); !status) return status;
  return rules == SchemaRules::kLoose ? Status(Ok{}) : check_strict(place, where);
}

std::optional<JsonType> json_type(std::string_view name) {
  for (const auto& [known, type] : kTypes)
    if (name == known) return type;
  return std::nullopt;
}

bool has_type(const OrderedJson& value, JsonType type) {
  switch (type) {
    case JsonType::kNull:
      return value.is_null();
    case JsonType::kBoolean:
      return value.is_boolean();
    case JsonType::kInteger:
      return value.is_number_integer() ||
             (value.is_number_float() && std::nearbyint(value.get<double>()) == value.get<double>());
    case JsonType::kNumber:
      return value.is_number();
    case JsonType::kString:
      return value.is_string();
    case JsonType::kArray:
      return value.is_array();
    case JsonType::kObject:
      return value.is_object();
  }
  return false;
}

std::vector<JsonType> types_of(const OrderedJson& schema) {
  std::vector<JsonType> out;
  if (const OrderedJson* type = find_keyword(schema, "type")) {
    const auto add = [&](const OrderedJson& name) {
      const JsonType one = *json_type(name.get_ref<const std::string&>());
      if (std::ranges::find(out, one) == out.end()) out.push_back(one);
    };
    if (type->is_string()) {
      add(*type);
    } else {
      for (const OrderedJson& name : *type) add(name);
    }
    // A number may be an integer; both would be two ways to write one.
    if (std::ranges::find(out, JsonType::kNumber) != out.end()) std::erase(out, JsonType::kInteger);
    return out;
  }
  const auto implied = [&](JsonType type, std::initializer_list<const char*> keywords) {
    for (const char* keyword : keywords) {
      if (find_keyword(schema, keyword) == nullptr) continue;
      out.push_back(type);
      return;
    }
  };
  implied(JsonType::kObject, {"properties", "required", "additionalProperties"});
  implied(JsonType::kArray, {"items", "prefixItems", "minItems", "maxItems"});
  implied(JsonType::kString, {"pattern", "format", "minLength", "maxLength"});
  implied(JsonType::kNumber, {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"});
  return out;
}

}  // namespace fathom::text
