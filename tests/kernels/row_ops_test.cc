// Row-wise operations against the reference, and each row as though alone.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kernels/act_quant.h"
#include "kernels/embedding.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/swiglu.h"
#include "tests/support/kernel_data.h"

namespace fathom::kernels {
namespace {

using test::Matrix;
using test::StoredWeight;

// Runs `op(ctx, first row, rows)` whole in the reference and whole and row by row in the cpu arm.
using RowOp = std::function<Matrix(const Context&, int64_t, int64_t)>;

void check(const char* what, int64_t rows, const RowOp& op, float relative, float absolute = 0) {
  ThreadPool one(1), three(3);
  for (const Context& ctx : test::cpu_contexts(three)) {
    Context ref = ctx, single = ctx;
    ref.backend = Backend::ref;
    single.pool = &one;
    const Matrix expected = op(ref, 0, rows), actual = op(ctx, 0, rows);
    Matrix bound = expected;
    for (float& b : bound.values) b = relative * std::fabs(b) + absolute;
    const test::Deviation d = test::deviation(actual.view(), expected.view(), bound.view());
    EXPECT_LE(d.worst, 1) << what << " " << test::name_of(ctx) << " " << d.where;
    for (int64_t r = 0; r < rows; ++r)
      ASSERT_TRUE(test::same_bits(op(single, r, 1).view(), actual.view().rows_from(r, 1)))
          << what << " row " << r;
  }
}

TEST(RowOps, Swiglu) {
  for (int64_t cols : {1, 7, 16, 37, 2048}) {
    Matrix gate = test::random_matrix(40, cols, 1, 6);
    const Matrix up = test::random_matrix(40, cols, 2);
    gate.values[0] = -200;
    gate.values[static_cast<size_t>(cols)] = 200;
    check(
        "swiglu", 40,
        [&](const Context& ctx, int64_t first, int64_t rows) {
          Matrix y(rows, cols);
          swiglu(ctx, {gate.view().rows_from(first, rows), up.view().rows_from(first, rows), y.mat()});
          return y;
        },
        0x1p-20f, 1e-35f);
  }
}

TEST(RowOps, RmsNorm) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    for (int64_t cols : {1, 5, 64, 519, 7168}) {
      const Matrix x = test::random_matrix(9, cols, 1, 3);
      const StoredWeight w(1, cols, dtype, 2, 1);
      check(
          "rms_norm", 9,
          [&](const Context& ctx, int64_t first, int64_t rows) {
            Matrix y(rows, cols);
            rms_norm(ctx, {x.view().rows_from(first, rows), w.whole(), 1e-6f, y.mat()});
            return y;
          },
          0x1p-22f);
    }
  }
}

TEST(RowOps, Rope) {
  for (int64_t dim : {2, 8, 20, 64}) {
    const int64_t heads = 3, rows = 11;
    const Matrix x = test::random_matrix(rows, heads * (dim + 4), 1);
    std::vector<int32_t> positions(rows);
    for (int64_t r = 0; r < rows; ++r) positions[static_cast<size_t>(r)] = static_cast<int32_t>(r * 15013);
    std::vector<double> frequencies(static_cast<size_t>(dim / 2));
    for (size_t i = 0; i < frequencies.size(); ++i)
      frequencies[i] = std::pow(1e4, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
    check(
        "rope", rows,
        [&](const Context& ctx, int64_t first, int64_t count) {
          Matrix y(count, x.cols), cos(count, dim / 2), sin(count, dim / 2);
          std::copy_n(x.view().row(first), count * x.cols, y.values.begin());
          rope_angles(ctx, {{positions.data() + first, static_cast<size_t>(count)},
                            frequencies,
                            1.5,
                            cos.mat(),
                            sin.mat()});
          rope(ctx, {Heads<float>{y.values.data() + 4, count, heads, dim, x.cols, dim + 4}, cos.view(),
                     sin.view()});
          return y;
        },
        0, 0x1p-20f);
  }
}

TEST(RowOps, ActQuantIsExact) {
  for (ScaleFormat format : {ScaleFormat::f32, ScaleFormat::ue8m0}) {
    for (int64_t cols : {1, 100, 128, 300}) {
      Matrix x = test::random_matrix(12, cols, 1);
      for (int64_t r = 0; r < 12; ++r)  // magnitudes over the whole range of FP8, subnormals included
        for (int64_t c = 0; c < cols; ++c) x.mat().row(r)[c] *= std::exp2(static_cast<float>(-(c % 22)));
      std::fill_n(x.mat().row(3), cols, 0.0f);
      check(
          "act_quant", 12,
          [&](const Context& ctx, int64_t first, int64_t rows) {
            Matrix y(rows, cols);
            act_quant(ctx, {x.view().rows_from(first, rows), y.mat(), format});
            return y;
          },
          0);
    }
  }
}

TEST(RowOps, EmbeddingIsExact) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16, DType::e4m3}) {
    const int64_t cols = 300;
    const StoredWeight table(200, cols, dtype, 1, 1);
    const std::vector<int32_t> ids{5, 199, 0, 128, 127, 5};
    check(
        "embedding", 6,
        [&](const Context& ctx, int64_t first, int64_t rows) {
          Matrix y(rows, cols);
          embedding(ctx, {{ids.data() + first, static_cast<size_t>(rows)}, table.whole(), y.mat()});
          return y;
        },
        0);
  }
}

}  // namespace
}  // namespace fathom::kernels
