// The web page's files.
#pragma once

#include <string_view>

#include "net/http.h"

namespace fathom::server {

bool is_page_file(std::string_view path);
// The file, or 304 when the client has it. REQUIRES: is_page_file(request.path). Any thread.
net::Response page_file(const net::Request& request);

}  // namespace fathom::server
