#include "apps/byte_size.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace fathom::apps {

size_t parse_byte_size(const std::string& text, const std::string& option) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit(end, text.data() + text.size());
  if (unit.ends_with("iB"))
    unit.resize(unit.size() - 2);
  else if (unit.size() > 1 && unit.ends_with("B"))
    unit.resize(unit.size() - 1);
  int shift = -1;
  if (unit.empty() || unit == "B") shift = 0;
  if (unit == "K" || unit == "k") shift = 10;
  if (unit == "M" || unit == "m") shift = 20;
  if (unit == "G" || unit == "g") shift = 30;
  if (unit == "T" || unit == "t") shift = 40;
  const double bytes = std::ldexp(value, shift);
  if (problem != std::errc() || shift < 0 || !(bytes >= 1 && bytes < 1e18))
    throw Exception({option, {}, quotable(text, 20) + " is no amount of memory", "write 8G or 512M"});
  return static_cast<size_t>(bytes);
}

std::string byte_size_text(size_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace fathom::apps
