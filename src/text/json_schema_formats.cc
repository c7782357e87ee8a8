#include "text/json_schema_keywords.h"

namespace fathom::text {
namespace {

// Days that exist: 31, 30 or 28 by month, and the 29th of February in leap years; years 0001 to 9999.
std::string date() {
  const std::string year = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9][0-9]|[1-9][0-9][0-9][0-9])";
  const std::string leap = "([0-9][0-9](0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)";
  const std::string long_month = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])";
  const std::string short_month = "(0[469]|11)-(0[1-9]|[12][0-9]|30)";
  const std::string february = "02-(0[1-9]|1[0-9]|2[0-8])";
  return "(" + year + "-(" + long_month + "|" + short_month + "|" + february + ")|" + leap + "-02-29)";
}

std::string time() {
  return "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
}

// RFC 3339, appendix A: units in descending order, without gaps.
std::string duration() {
  const std::string n = "[0-9]{1,9}";
  const std::string second = n + "S", minute = n + "M(" + second + ")?", hour = n + "H(" + minute + ")?";
  const std::string clock = "T(" + hour + "|" + minute + "|" + second + ")";
  const std::string day = n + "D", month = n + "M(" + day + ")?", year = n + "Y(" + month + ")?";
  return "P((" + day + "|" + month + "|" + year + ")(" + clock + ")?|" + clock + "|" + n + "W)";
}

// Either few long labels or more shorter ones: never more than 253 characters.
std::string hostname() {
  const std::string end = "[A-Za-z0-9]", inner = "[A-Za-z0-9-]";
  const std::string longest = end + "(" + inner + "{0,61}" + end + ")?";
  const std::string shorter = end + "(" + inner + "{0,28}" + end + ")?";
  return "((" + longest + "\\.){0,2}" + longest + "|(" + shorter + "\\.){0,7}" + shorter + ")";
}

// At most 64 characters before the @ and 254 in all.
std::string email() {
  const std::string set = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
  const std::string short_atom = set + "{1,20}";
  const std::string label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  return "(" + set + "{1,64}|" + short_atom + "(\\." + short_atom + "){0,2})@(" + label +
         "\\.){1,2}[A-Za-z]{2,24}";
}

std::string ipv4() {
  const std::string byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  return byte + "(\\." + byte + "){3}";
}

std::string ipv6() {
  const std::string h = "[0-9A-Fa-f]{1,4}";
  std::string out = "((" + h + ":){7}" + h + "|(" + h + ":){1,7}:";
  for (int left = 6; left >= 1; --left) {
    out += "|(" + h + ":){1," + std::to_string(left) + "}(:" + h + "){1," + std::to_string(7 - left) + "}";
  }
  return out + "|:((:" + h + "){1,7}|:))";
}

}  // namespace

std::optional<std::string> format_pattern(std::string_view format) {
  const auto whole = [](const std::string& pattern) { return "^(?:" + pattern + ")$"; };
  if (format == "date") return whole(date());
  if (format == "time") return whole(time());
  if (format == "date-time") return whole(date() + "T" + time());
  if (format == "duration") return whole(duration());
  if (format == "email") return whole(email());
  if (format == "hostname") return whole(hostname());
  if (format == "ipv4") return whole(ipv4());
  if (format == "ipv6") return whole(ipv6());
  if (format == "uuid") return whole("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  return std::nullopt;
}

}  // namespace fathom::text
