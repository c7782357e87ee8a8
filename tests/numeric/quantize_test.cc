#include "numeric/quantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace fathom {
namespace {

// A sample of all float patterns, and every pattern near a rounding border of E4M3.
std::vector<float> patterns() {
  std::vector<float> out;
  for (uint64_t u = 0; u < (uint64_t{1} << 32); u += 9973)
    out.push_back(std::bit_cast<float>(static_cast<uint32_t>(u)));
  for (int code = 0; code < 126; ++code) {
    const float low = to_float(e4m3{static_cast<uint8_t>(code)}),
                high = to_float(e4m3{static_cast<uint8_t>(code + 1)});
    for (const float border : {low, (low + high) / 2, high})
      for (const float v : {border, std::nextafter(border, 0.0f), std::nextafter(border, 1e9f)}) {
        out.push_back(v);
        out.push_back(-v);
      }
  }
  const float inf = std::numeric_limits<float>::infinity();
  for (const float v :
       {0.0f, -0.0f, inf, -inf, std::nanf(""), -std::nanf(""), FLT_MAX, FLT_MIN, 448.0f, 464.0f, 465.0f})
    out.push_back(v);
  return out;
}

TEST(Quantize, RowsEqualSingleValues) {
  const std::vector<float> in = patterns();
  const auto n = static_cast<int64_t>(in.size());
  std::vector<bf16> narrow(in.size());
  std::vector<e4m3> codes(in.size());
  to_bf16_row(in.data(), n, narrow.data());
  to_e4m3_row(in.data(), 1.0f, n, codes.data());
  for (size_t i = 0; i < in.size(); ++i) {
    ASSERT_EQ(narrow[i].bits, to_bf16(in[i]).bits) << std::bit_cast<uint32_t>(in[i]);
    ASSERT_EQ(codes[i].bits, to_e4m3(in[i]).bits) << std::bit_cast<uint32_t>(in[i]);
  }
}

// What the README of the weights promises: |error| at most half a step, a step being 1/8 of the value's power
// of two.
TEST(Quantize, BlockRoundTripStaysWithinHalfAStep) {
  for (const ScaleFormat format : {ScaleFormat::f32, ScaleFormat::ue8m0})
    for (const auto& [rows, cols] : {std::pair{128, 128}, {64, 128}, {128, 3}, {1, 1}, {5, 77}}) {
      const int64_t stride = cols + 5, out_stride = cols + 3;
      std::vector<float> in(static_cast<size_t>(rows * stride),
                            1e30f);  // what lies between rows must not count
      std::vector<e4m3> out(static_cast<size_t>(rows * out_stride), e4m3{0x55});
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < cols; ++c)
          in[static_cast<size_t>(r * stride + c)] =
              0.02f * normal_pair(7, static_cast<uint64_t>(r), static_cast<uint64_t>(c))[0];
      const float scale = quantize_block(in.data(), stride, rows, cols, format, out.data(), out_stride);
      float amax = 0;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < out_stride; ++c) {
          const e4m3 code = out[static_cast<size_t>(r * out_stride + c)];
          if (c >= cols) {
            ASSERT_EQ(code.bits, 0x55) << "written beyond the block";
            continue;
          }
          const float v = in[static_cast<size_t>(r * stride + c)];
          amax = std::fmax(amax, std::fabs(v));
          const float bound = std::fmax(std::fabs(v) / 16, scale * 0x1p-10f) * 1.0001f;
          ASSERT_NEAR(to_float(code) * scale, v, bound) << r << ", " << c;
        }
      if (format == ScaleFormat::f32) {
        EXPECT_EQ(scale, amax / 448);
      } else {
        EXPECT_EQ(std::bit_cast<uint32_t>(scale) & 0x7FFFFF, 0u);
        EXPECT_GE(scale, amax / 448);
        EXPECT_LT(scale, amax / 224);
      }
    }
}

TEST(Quantize, ExtremeBlocks) {
  e4m3 out[4];
  const float zeros[4] = {0, -0.0f, 0, 0};
  EXPECT_EQ(quantize_block(zeros, 2, 2, 2, ScaleFormat::f32, out, 2), 1.0f);
  EXPECT_EQ(out[0].bits, 0);
  EXPECT_EQ(out[1].bits, 0x80);
  const float tiny[4] = {1e-44f, 0, 0, 0};
  for (const ScaleFormat format : {ScaleFormat::f32, ScaleFormat::ue8m0})
    EXPECT_EQ(quantize_block(tiny, 2, 2, 2, format, out, 2), FLT_MIN);
  const float huge[4] = {FLT_MAX, -FLT_MAX, 0, 0};
  EXPECT_EQ(quantize_block(huge, 2, 2, 2, ScaleFormat::f32, out, 2), FLT_MAX / 448);
  EXPECT_EQ(out[0].bits, 0x7E);
  EXPECT_EQ(out[1].bits, 0xFE);
  const float bad[2][4] = {{std::nanf(""), 1, 2, 3}, {1, 2, std::numeric_limits<float>::infinity(), 3}};
  for (const auto& block : bad)
    EXPECT_FALSE(std::isfinite(quantize_block(block, 2, 2, 2, ScaleFormat::ue8m0, out, 2)));
}

}  // namespace
}  // namespace fathom
