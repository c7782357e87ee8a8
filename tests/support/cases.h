// Where this build's program, sources and reference sets are. Set in one file, so that a build in another folder finds
// the compiled tests in the compiler cache.
#pragma once

#include <string>
#include <string_view>

namespace fathom::test {

// Directory with golden/, pilot/, chat/ and tokenizers/; empty when the build was given none (suites named Cases* then
// skip themselves).
const std::string& cases_directory();
const std::string& source_directory();
// The fathom program of this build.
const std::string& fathom_binary();

}  // namespace fathom::test

// First line of every test of a suite named Cases*.
#define FATHOM_NEEDS_CASES() \
  if (::fathom::test::cases_directory().empty()) GTEST_SKIP() << "configure with -DFATHOM_CASES=DIR"
