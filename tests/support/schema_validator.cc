#include "tests/support/schema_validator.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <arpa/inet.h>
#include <pcre2.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <set>

#include "base/utf8.h"

namespace fathom::test {
namespace {

bool found(const std::string& pattern, const std::string& text) {
  int code = 0;
  PCRE2_SIZE at = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> compiled(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF, &code, &at,
                    nullptr),
      pcre2_code_free);
  if (compiled == nullptr) throw std::runtime_error("the validator cannot read the pattern " + pattern);
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(compiled.get(), nullptr), pcre2_match_data_free);
  return pcre2_match(compiled.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data.get(),
                     nullptr) >= 0;
}

bool is_date(const std::string& text) {
  if (!found("^\\d{4}-\\d\\d-\\d\\d$", text)) return false;
  const int year = std::stoi(text.substr(0, 4));
  const auto month = static_cast<unsigned>(std::stoi(text.substr(5, 2)));
  const auto day = static_cast<unsigned>(std::stoi(text.substr(8, 2)));
  return year >= 1 && std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month),
                                                  std::chrono::day(day))
                          .ok();
}

bool is_time(const std::string& text) {
  if (!found("^\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$", text)) return false;
  const bool zone = text.back() != 'Z';
  const size_t at = text.size() - 5;
  return std::stoi(text.substr(0, 2)) < 24 && std::stoi(text.substr(3, 2)) < 60 &&
         std::stoi(text.substr(6, 2)) < 60 &&
         (!zone || (std::stoi(text.substr(at, 2)) < 24 && std::stoi(text.substr(at + 3, 2)) < 60));
}

bool is_host(const std::string& text) {
  if (text.empty() || text.size() > 253) return false;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    const std::string label = text.substr(begin, end - begin);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!found("^[A-Za-z0-9-]+$", label)) return false;
    begin = end + 1;
  }
  return true;
}

bool has_format(const std::string& format, const std::string& text) {
  unsigned char address[16];
  if (format == "date") return is_date(text);
  if (format == "time") return is_time(text);
  if (format == "date-time")
    return text.size() > 11 && text[10] == 'T' && is_date(text.substr(0, 10)) && is_time(text.substr(11));
  if (format == "ipv4") return inet_pton(AF_INET, text.c_str(), address) == 1;
  if (format == "ipv6") return inet_pton(AF_INET6, text.c_str(), address) == 1;
  if (format == "uuid") return found("^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$", text);
  if (format == "hostname") return is_host(text);
  if (format == "duration")
    return found("^P(?!$)(\\d+W|(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+S)?)?)$", text);
  const size_t at = text.rfind('@');
  return at != std::string::npos && at > 0 && text.size() <= 254 && is_host(text.substr(at + 1)) &&
         text.find("..") == std::string::npos && text[0] != '.' && text[at - 1] != '.';
}

class Validator {
 public:
  explicit Validator(const OrderedJson& root) : root_(root) {}

  std::string check(const OrderedJson& schema, const OrderedJson& value, const std::string& at) const {
    if (schema.is_boolean()) return schema == true ? "" : at + ": nothing is allowed";
    if (schema.contains("$ref")) {
      // A union that comes back to itself adds nothing.
      const auto step = std::pair(&schema, &value);
      if (!open_.insert(step).second) return at + ": $ref";
      std::string wrong = check(refer(schema["$ref"]), value, at);
      open_.erase(step);
      return wrong;
    }
    if (schema.contains("type") && !typed(schema["type"], value)) return at + ": type";
    if (schema.contains("const") && schema["const"] != value) return at + ": const";
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
      return at + ": enum";
    for (const char* list : {"anyOf", "allOf"}) {
      if (!schema.contains(list)) continue;
      const auto good = std::count_if(schema[list].begin(), schema[list].end(),
                                      [&](const OrderedJson& s) { return check(s, value, at).empty(); });
      if (good < (list[1] == 'n' ? 1 : static_cast<long>(schema[list].size()))) return at + ": " + list;
    }
    if (value.is_string()) return check_string(schema, value.get<std::string>(), at);
    if (value.is_number()) return check_number(schema, value.get<double>(), at);
    if (value.is_array()) return check_array(schema, value, at);
    return value.is_object() ? check_object(schema, value, at) : "";
  }

 private:
  const OrderedJson& refer(const std::string& reference) const {
    return root_.at(OrderedJson::json_pointer(reference.substr(1)));
  }

  static bool typed(const OrderedJson& type, const OrderedJson& value) {
    if (type.is_array())
      return std::any_of(type.begin(), type.end(), [&](const OrderedJson& t) { return typed(t, value); });
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer")
      return value.is_number_integer() ||
             (value.is_number() && std::floor(value.get<double>()) == value.get<double>());
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    return type == "array" ? value.is_array() : value.is_object();
  }

  static std::string check_string(const OrderedJson& schema, const std::string& text, const std::string& at) {
    if (!utf8::valid(text)) return at + ": UTF-8";
    const auto length = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (schema.contains("minLength") && length < schema["minLength"].get<long>()) return at + ": minLength";
    if (schema.contains("maxLength") && length > schema["maxLength"].get<long>()) return at + ": maxLength";
    if (schema.contains("pattern") && !found(schema["pattern"], text)) return at + ": pattern " + text;
    if (schema.contains("format") && !has_format(schema["format"], text)) return at + ": format " + text;
    return "";
  }

  static std::string check_number(const OrderedJson& schema, double number, const std::string& at) {
    const auto limit = [&](const char* keyword, auto holds) {
      return !schema.contains(keyword) || holds(number, schema[keyword].get<double>());
    };
    if (!limit("minimum", std::greater_equal<>())) return at + ": minimum";
    if (!limit("maximum", std::less_equal<>())) return at + ": maximum";
    if (!limit("exclusiveMinimum", std::greater<>())) return at + ": exclusiveMinimum";
    if (!limit("exclusiveMaximum", std::less<>())) return at + ": exclusiveMaximum";
    const auto multiple = [](double x, double of) {
      const double times = x / of;
      return std::abs(times - std::nearbyint(times)) <= std::abs(times) * 1e-15 + 1e-9;
    };
    return limit("multipleOf", multiple) ? "" : at + ": multipleOf";
  }

  std::string check_array(const OrderedJson& schema, const OrderedJson& value, const std::string& at) const {
    if (schema.contains("minItems") && value.size() < schema["minItems"].get<size_t>())
      return at + ": minItems";
    if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<size_t>())
      return at + ": maxItems";
    const size_t prefix = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string place = at + "/" + std::to_string(i);
      std::string wrong;
      if (i < prefix) {
        wrong = check(schema["prefixItems"][i], value[i], place);
      } else if (schema.contains("items")) {
        wrong = check(schema["items"], value[i], place);
      }
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  std::string check_object(const OrderedJson& schema, const OrderedJson& value, const std::string& at) const {
    if (schema.contains("required")) {
      for (const auto& name : schema["required"])
        if (!value.contains(name.get<std::string>())) return at + ": required " + name.get<std::string>();
    }
    for (const auto& [name, member] : value.items()) {
      std::string wrong;
      if (schema.contains("properties") && schema["properties"].contains(name)) {
        wrong = check(schema["properties"][name], member, at + "/" + name);
      } else if (schema.contains("additionalProperties")) {
        wrong = check(schema["additionalProperties"], member, at + "/" + name);
      }
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  const OrderedJson& root_;
  mutable std::set<std::pair<const OrderedJson*, const OrderedJson*>> open_;
};

}  // namespace

std::string schema_violation(const OrderedJson& schema, const OrderedJson& value) {
  return Validator(schema).check(schema, value, "#");
}

}  // namespace fathom::test
