#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "numeric/bf16.h"
#include "numeric/e4m3.h"
#include "numeric/scaling.h"

namespace fathom {
namespace {

// The code whose value is nearest, ties to the even code, by trying all.
uint8_t nearest_code(float v) {
  if (std::fabs(v) >= kE4m3Max) return v < 0 ? 0xFE : 0x7E;
  int best = 0;
  for (int code = 0; code < 0x7F; ++code) {
    const double a = std::fabs(static_cast<double>(std::fabs(v)) - to_float(e4m3{static_cast<uint8_t>(code)}));
    const double b = std::fabs(static_cast<double>(std::fabs(v)) - to_float(e4m3{static_cast<uint8_t>(best)}));
    if (a < b || (a == b && code % 2 == 0)) best = code;
  }
  return static_cast<uint8_t>(best | (std::signbit(v) ? 0x80 : 0));
}

TEST(E4m3, EveryCodeSurvivesTheRoundTrip) {
  for (int code = 0; code < 256; ++code) {
    const float v = to_float(e4m3{static_cast<uint8_t>(code)});
    if ((code & 0x7F) == 0x7F) {
      EXPECT_TRUE(std::isnan(v));
      continue;
    }
    EXPECT_EQ(to_e4m3(v).bits, code);
  }
  EXPECT_EQ(to_float(e4m3{0x7E}), 448.0f);
  EXPECT_EQ(to_float(e4m3{0x01}), 0x1p-9f);
  EXPECT_EQ(to_float(e4m3{0x08}), 0x1p-6f);
}

TEST(E4m3, RoundsToNearestEvenAndSaturates) {
  for (uint32_t i = 0; i < 400000; ++i) {
    // Spread over signs, exponents 2^-12 to 2^9 and mantissas, halfway points included.
    const uint32_t bits = ((i & 1) << 31) | ((115 + i / 2 % 22) << 23) | ((i * 2654435761u) & 0x7FFFFF & ~(i % 3 == 0 ? 0xFFFFu : 0u));
    float v;
    std::memcpy(&v, &bits, sizeof v);
    ASSERT_EQ(to_e4m3(v).bits, nearest_code(v)) << v;
  }
  EXPECT_EQ(to_e4m3(INFINITY).bits, 0x7E);
  EXPECT_EQ(to_e4m3(-1e30f).bits, 0xFE);
  EXPECT_EQ(to_e4m3(NAN).bits & 0x7F, 0x7F);
}

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(to_bf16(1.0f).bits, 0x3F80);
  EXPECT_EQ(to_bf16(1.00390625f).bits, 0x3F80);  // halfway: even below
  EXPECT_EQ(to_bf16(1.01171875f).bits, 0x3F82);  // halfway: even above
  EXPECT_EQ(to_bf16(INFINITY).bits, 0x7F80);
  EXPECT_TRUE(std::isnan(to_float(to_bf16(NAN))));
}

TEST(Scaling, CeilPow2IsTheSmallestPowerNotBelow) {
  EXPECT_EQ(ceil_pow2(1.0f), 1.0f);
  EXPECT_EQ(ceil_pow2(1.0000001f), 2.0f);
  EXPECT_EQ(ceil_pow2(0.75f), 1.0f);
  EXPECT_EQ(tile_scale(0.0f, 1e-4f, ScaleFormat::f32), 1e-4f / 448.0f);
  EXPECT_EQ(tile_scale(448.0f * 3, 0, ScaleFormat::ue8m0), 4.0f);
}

}  // namespace
}  // namespace fathom
