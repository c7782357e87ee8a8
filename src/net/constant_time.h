// Comparison of secrets.
#pragma once

#include <string_view>

namespace fathom::net {

// Whether `given` equals `secret`. The time depends on the length of `given` only, which the sender knows
// anyway.
inline bool equal_in_constant_time(std::string_view given, std::string_view secret) {
  volatile unsigned difference = given.size() == secret.size() ? 0u : 1u;
  for (size_t i = 0; i < given.size(); ++i) {
    const unsigned char other = secret.empty() ? 0 : static_cast<unsigned char>(secret[i % secret.size()]);
    difference = difference | (static_cast<unsigned char>(given[i]) ^ other);
  }
  return difference == 0;
}

}  // namespace fathom::net
