// Whether something lies at a path.
#pragma once

#include <string>

namespace fathom {

// Links are followed; false where it cannot be told.
bool path_exists(const std::string& path);

}  // namespace fathom
