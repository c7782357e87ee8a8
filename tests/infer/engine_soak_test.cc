#include <gtest/gtest.h>

#include "tests/support/build_kind.h"
#include "tests/support/engine_soak.h"

namespace fathom::infer {
namespace {

// Under the thread sanitizer this is what finds races, so it gets two minutes there.
TEST(EngineSoak, RandomCompany) { test::soak_engine(test::soak_seconds(test::kThreadSanitizer ? 120 : 8)); }

}  // namespace
}  // namespace fathom::infer
