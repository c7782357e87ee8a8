#include <gtest/gtest.h>

#include "tests/support/engine_soak.h"

namespace fathom::infer {
namespace {

// Under the thread sanitizer this is what finds races, so it gets two minutes there.
#ifdef __SANITIZE_THREAD__
constexpr double kSeconds = 120;
#else
constexpr double kSeconds = 8;
#endif

TEST(EngineSoak, RandomCompany) { test::soak_engine(kSeconds); }

}  // namespace
}  // namespace fathom::infer
