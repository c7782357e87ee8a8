// The addresses a client can be pointed at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fathom::net {

struct Url {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 0;
  std::string path;  // "" or "/v1": no slash at its end

  // As in a Host field: the port only if it is not the scheme's.
  std::string authority() const;
};

// "http://host:port/path", "https://[::1]/". No user, query or fragment.
Result<Url> parse_url(std::string_view text);

}  // namespace fathom::net
