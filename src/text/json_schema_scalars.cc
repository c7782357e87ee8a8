// Strings and numbers of a schema.
#include <algorithm>

#include "text/grammar_regex.h"
#include "text/json_schema_compiler.h"

namespace fathom::text {

int64_t SchemaDocument::count(const SchemaPlace& place, const char* keyword, int64_t otherwise) const {
  const OrderedJson* value = find_keyword(*place.schema, keyword);
  if (value == nullptr) return otherwise;
  constexpr int64_t kLargest = 100'000;
  const auto number = value->get<int64_t>();
  if (number > kLargest)
    fail(place, keyword, "is above " + std::to_string(kLargest), "lower it, or leave it out");
  return number;
}

SchemaDocument::Rule SchemaDocument::string_rule(const SchemaPlace& place) {
  const bool free = std::ranges::none_of(
      std::initializer_list<const char*>{"pattern", "format", "minLength", "maxLength"},
      [&](const char* keyword) { return find_keyword(*place.schema, keyword) != nullptr; });
  if (free) return json_.string();
  const auto [made, inserted] = scalars_.try_emplace({place.schema, JsonType::kString}, 0);
  if (inserted) made->second = json_.string_of(string_dfa(place));
  return made->second;
}

// The strings that satisfy all keywords, met one after the other.
CodeDfa SchemaDocument::string_dfa(const SchemaPlace& place) {
  const OrderedJson& schema = *place.schema;
  std::optional<CodeDfa> all;
  const auto meet = [&](const char* keyword, std::optional<CodeDfa> more) {
    if (more && all) more = intersection(*all, *more, budget_);
    if (!more) fail(place, keyword, "makes the automaton for the string too large", "loosen it");
    all = std::move(more);
    if (all->states.empty()) fail(place, keyword, "leaves no string that is valid");
  };
  const auto meet_pattern = [&](const char* keyword, const std::string& pattern) {
    auto dfa = regex_dfa(pattern, budget_);
    if (!dfa) fail(place, keyword, dfa.error().problem, dfa.error().remedy);
    meet(keyword, std::move(*dfa));
  };
  if (const OrderedJson* pattern = find_keyword(schema, "pattern"))
    meet_pattern("pattern", pattern->get_ref<const std::string&>());
  if (const OrderedJson* format = find_keyword(schema, "format")) {
    const auto& name = format->get_ref<const std::string&>();
    const auto known = format_pattern(name);
    if (!known) {
      fail(place, "format", "\"" + quotable(name) + "\" is not supported",
           "use email, hostname, ipv4, ipv6, uuid, date, time, date-time, duration or a pattern");
    }
    meet_pattern("format", *known);
  }
  const int64_t min = count(place, "minLength", 0), max = count(place, "maxLength", -1);
  if (min > 0 || max >= 0) {
    const char* keyword = max >= 0 ? "maxLength" : "minLength";
    meet(keyword, length_dfa(min, max));
  }
  if (!all) all = length_dfa(0, -1);
  return reduced(std::move(*all), budget_);
}

SchemaDocument::Rule SchemaDocument::number_rule(const SchemaPlace& place, bool integer) {
  const OrderedJson& schema = *place.schema;
  const auto key = std::pair(place.schema, integer ? JsonType::kInteger : JsonType::kNumber);
  if (const auto made = scalars_.find(key); made != scalars_.end()) return made->second;
  NumberLimits limits{.integer = integer};
  std::optional<Decimal> min, max, multiple;
  // Of a limit and an exclusive one the tighter counts.
  const auto read = [&](const char* inclusive, const char* exclusive, bool upper,
                        std::optional<Decimal>& out) {
    const OrderedJson* with = find_keyword(schema, inclusive);
    const OrderedJson* without = find_keyword(schema, exclusive);
    const bool take_without =
        without != nullptr && (with == nullptr || (upper ? without->get<double>() <= with->get<double>()
                                                         : without->get<double>() >= with->get<double>()));
    if (with != nullptr || without != nullptr) out = decimal_of(take_without ? *without : *with);
    return take_without;
  };
  limits.above_min = read("minimum", "exclusiveMinimum", false, min);
  limits.below_max = read("maximum", "exclusiveMaximum", true, max);
  if (min) limits.min = &*min;
  if (max) limits.max = &*max;
  if (const OrderedJson* value = find_keyword(schema, "multipleOf")) {
    multiple = decimal_of(*value);
    limits.multiple_of = &*multiple;
  }
  bool none = false;
  const auto rule = add_number_rule(b_, limits, &none);
  if (!rule) fail(place, "multipleOf", "has too many digits that count", "use a smaller or rounder number");
  if (none && !b_.full()) {
    const char* keyword = multiple ? "multipleOf" : min ? "minimum" : "maximum";
    fail(place,
         find_keyword(schema, keyword) != nullptr ? keyword
         : min                                    ? "exclusiveMinimum"
                                                  : "exclusiveMaximum",
         "leaves no number that is valid");
  }
  return scalars_[key] = *rule;
}

}  // namespace fathom::text
