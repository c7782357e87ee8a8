#include "tests/support/cases.h"

namespace fathom::test {

const std::string& cases_directory() {
  static const std::string directory = FATHOM_CASES_DIR;
  return directory;
}

const std::string& source_directory() {
  static const std::string directory = FATHOM_SOURCE_DIR;
  return directory;
}

const std::string& fathom_binary() {
  static const std::string path = FATHOM_BINARY;
  return path;
}

}  // namespace fathom::test
