#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fathom::model {
namespace {

Config v3_rope() {
  Config c;
  c.qk_nope_head_dim = 128;
  c.qk_rope_head_dim = 64;
  c.yarn = Yarn{.factor = 40, .original_max_position_embeddings = 4096, .mscale = 1, .mscale_all_dim = 1};
  return c;
}

// Values of specification 3.4.
TEST(Rope, V3FrequenciesAndScale) {
  const RopeConstants r = rope_constants(v3_rope());
  ASSERT_EQ(r.frequencies.size(), 32u);
  const double expected[] = {1,            0.749894209,  0.562341325,  0.421696503,  0.316227766,  0.237137371,  0.177827941,
                             0.133352143,  0.1,          0.0749894209, 0.0562341325, 0.0390069266, 0.0268793601, 0.0183781462,
                             0.0124479559, 0.00833450895, 0.0055,      0.00356199749, 0.0022493653, 0.00137051364,
                             0.000790569415, 0.000414990398, 0.000177827941, 3.33380358e-05};
  for (size_t i = 0; i < std::size(expected); ++i) EXPECT_NEAR(r.frequencies[i] / expected[i], 1, 1e-8) << i;
  EXPECT_NEAR(r.frequencies[31] / 3.33380358e-06, 1, 1e-8);
  EXPECT_EQ(r.factor, 1);
  EXPECT_NEAR(r.softmax_scale, 0.1352337789, 1e-8);
}

TEST(Rope, EqualBetasLeaveAStep) {
  Config c = v3_rope();
  c.yarn = Yarn{.factor = 32, .original_max_position_embeddings = 4096, .beta_fast = 1, .beta_slow = 1, .mscale = 1, .mscale_all_dim = 1};
  c.rope_theta = 50000;
  for (double f : rope_constants(c).frequencies) EXPECT_TRUE(std::isfinite(f) && f > 0);
}

TEST(Rope, WithoutYarnIsPlain) {
  Config c = v3_rope();
  c.yarn.reset();
  const RopeConstants r = rope_constants(c);
  EXPECT_NEAR(r.frequencies[16], 0.01, 1e-12);
  EXPECT_NEAR(r.softmax_scale, 1 / std::sqrt(192.0), 1e-8);
}

}  // namespace
}  // namespace fathom::model
