#include "base/path_exists.h"

#include <sys/stat.h>

namespace fathom {

bool path_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

}  // namespace fathom
