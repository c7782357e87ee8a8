#include <gtest/gtest.h>

#include "tests/support/engine_soak.h"

namespace fathom {
namespace {

TEST(LargeEngineSoak, AnHourOfRandomCompany) { test::soak_engine(test::soak_seconds(3600)); }

}  // namespace
}  // namespace fathom
