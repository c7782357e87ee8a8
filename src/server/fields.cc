#include "server/fields.h"

#include <cmath>

namespace fathom::server {
namespace {

constexpr JsonLimits kBodyLimits = {.depth = 128, .bytes = size_t{256} << 20};

std::string number_text(double value) {
  const std::string text = std::to_string(value);
  const size_t last = text.find_last_not_of('0');
  return text.substr(0, text[last] == '.' ? last : last + 1);
}

}  // namespace

Fields::Fields(const OrderedJson& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object.is_object()) throw wrong_type(path_.empty() ? "body" : path_, "an object");
}

const OrderedJson* Fields::find(const char* key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

std::optional<std::string> Fields::text(const char* key) const {
  const OrderedJson* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_string()) throw wrong_type(path(key), "a string");
  return value->get<std::string>();
}

std::optional<bool> Fields::flag(const char* key) const {
  const OrderedJson* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_boolean()) throw wrong_type(path(key), "true or false");
  return value->get<bool>();
}

std::optional<int64_t> Fields::integer(const char* key, int64_t low, int64_t high) const {
  const OrderedJson* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_number()) throw wrong_type(path(key), "an integer");
  const auto whole = whole_number(*value);
  const double size = value->get<double>();
  if (!whole && std::abs(size) < 9.2e18) throw wrong_type(path(key), "an integer");
  if (!whole || *whole < low || *whole > high)
    throw bad_value(path(key), "must be an integer from " + std::to_string(low) +
                                   (high == INT64_MAX ? " up" : " to " + std::to_string(high)));
  return whole;
}

std::optional<double> Fields::number(const char* key, double low, double high) const {
  const OrderedJson* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_number()) throw wrong_type(path(key), "a number");
  const double number = value->get<double>();
  if (!(number >= low && number <= high))
    throw bad_value(path(key), "must be a number from " + number_text(low) + " to " + number_text(high));
  return number;
}

const OrderedJson* Fields::array(const char* key) const {
  const OrderedJson* value = find(key);
  if (value != nullptr && !value->is_array()) throw wrong_type(path(key), "an array");
  return value;
}

std::optional<Fields> Fields::object(const char* key) const {
  const OrderedJson* value = find(key);
  if (value == nullptr) return {};
  return Fields(*value, path(key));
}

std::string Fields::required_text(const char* key) const {
  auto value = text(key);
  if (!value) throw missing(path(key));
  return *std::move(value);
}

const OrderedJson& Fields::required_array(const char* key) const {
  const OrderedJson* value = array(key);
  if (value == nullptr) throw missing(path(key));
  return *value;
}

Fields Fields::required_object(const char* key) const {
  auto value = object(key);
  if (!value) throw missing(path(key));
  return *std::move(value);
}

std::optional<int64_t> whole_number(const OrderedJson& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(INT64_MAX)) return {};
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return {};
  const double number = value.get<double>();
  if (!(std::abs(number) < 9.2e18) || number != std::floor(number)) return {};
  return static_cast<int64_t>(number);
}

std::string element_path(const std::string& path, size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

OrderedJson parse_body(std::string_view body) {
  auto parsed = parse_ordered_json(body, "", kBodyLimits);
  if (!parsed) {
    const Error& e = parsed.error();
    throw Refusal(400, "The body is no acceptable JSON: " + (e.key.empty() ? "" : e.key + ": ") + e.problem,
                  {}, "invalid_json");
  }
  if (!parsed->is_object()) throw wrong_type("body", "a JSON object");
  return *std::move(parsed);
}

}  // namespace fathom::server
