// The reference sets outside the repository.
#pragma once

#include <string>

namespace fathom::test {

// Directory with golden/, pilot/, chat/ and tokenizers/; empty when the build was given none (suites named Cases* then
// skip themselves).
inline const std::string& cases_directory() {
  static const std::string directory = FATHOM_CASES_DIR;
  return directory;
}

}  // namespace fathom::test

// First line of every test of a suite named Cases*.
#define FATHOM_NEEDS_CASES() \
  if (::fathom::test::cases_directory().empty()) GTEST_SKIP() << "configure with -DFATHOM_CASES=DIR"
