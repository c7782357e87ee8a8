// Amounts of memory on the command line.
#pragma once

#include <cstddef>
#include <string>

namespace fathom::apps {

// "8G", "512M", "64K" (binary multiples) or bytes. Throws Exception naming `option` otherwise.
size_t parse_byte_size(const std::string& text, const std::string& option);

// "1.5 GiB" for people.
std::string byte_size_text(size_t bytes);

}  // namespace fathom::apps
