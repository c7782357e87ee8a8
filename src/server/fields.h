// Reading typed fields of a request's JSON. Absent and null are the same; other kinds than asked for are
// refused with the path of the field ("messages[2].content").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/errors.h"

namespace fathom::server {

// The largest integer that every client's numbers can hold.
inline constexpr int64_t kMostInteger = (int64_t{1} << 53) - 1;

// An object inside a request. Borrows it. All functions throw Refusal.
class Fields {
 public:
  // `path`: where the object stands, empty for the request itself.
  Fields(const OrderedJson& object, std::string path);

  // Null if absent or JSON's null.
  const OrderedJson* find(const char* key) const;
  bool has_key(const char* key) const { return object_.contains(key); }
  std::string path(std::string_view key) const;
  const OrderedJson& json() const { return object_; }

  std::optional<std::string> text(const char* key) const;
  std::optional<bool> flag(const char* key) const;
  // Whole numbers, also written as 3.0.
  std::optional<int64_t> integer(const char* key, int64_t low, int64_t high) const;
  std::optional<double> number(const char* key, double low, double high) const;
  const OrderedJson* array(const char* key) const;
  std::optional<Fields> object(const char* key) const;

  std::string required_text(const char* key) const;
  const OrderedJson& required_array(const char* key) const;
  Fields required_object(const char* key) const;

 private:
  const OrderedJson& object_;
  std::string path_;
};

// A whole number of this value, or nothing.
std::optional<int64_t> whole_number(const OrderedJson& value);
// `array[index]` of the array at `path`.
std::string element_path(const std::string& path, size_t index);

// The body of a request: JSON within limits whose root is an object; else Refusal 400.
OrderedJson parse_body(std::string_view body);

}  // namespace fathom::server
