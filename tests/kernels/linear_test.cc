// Products against the reference: every mode, instruction set, dtype and form, on ragged and unaligned
// operands.
#include "kernels/linear.h"

#include <gtest/gtest.h>

#include <cmath>

#include "numeric/bf16.h"
#include "tensor/element.h"
#include "tests/support/tile_arms.h"

namespace fathom::kernels {
namespace {

using test::LinearArm;
using test::Matrix;
using test::StoredWeight;

constexpr DType kDTypes[] = {DType::f32, DType::bf16, DType::f16, DType::e4m3};

struct Shape3 {
  int64_t m, k, n;
};

std::string describe(const LinearArm& arm, DType dtype, Form form, Shape3 s) {
  return arm.name + " " + std::string(fathom::name_of(dtype)) + (form == Form::nt ? " nt" : " nn") + " m " +
         std::to_string(s.m) + " k " + std::to_string(s.k) + " n " + std::to_string(s.n);
}

// What rounding may change in a sum of k products in any order: the usual growth with the root of k.
Matrix sum_bound(Mat<const float> x, const Weight& w, Form form, const int32_t* gather, int64_t m) {
  const int64_t n = form == Form::nt ? w.rows : w.cols;
  Matrix bound(m, n);
  std::vector<float> row(static_cast<size_t>(w.cols));
  for (int64_t r = 0; r < w.rows; ++r) {
    dequantize_row(w, r, row.data());
    for (int64_t c = 0; c < w.cols; ++c) {
      for (int64_t i = 0; i < m; ++i) {
        const float* xi = x.row(gather != nullptr ? gather[i] : i);
        const int64_t j = form == Form::nt ? r : c, k = form == Form::nt ? c : r;
        bound.mat().row(i)[j] += std::fabs(xi[k] * row[static_cast<size_t>(c)]);
      }
    }
  }
  const float unit = (8 + 4 * std::sqrt(static_cast<float>(x.cols))) * 0x1p-24f;
  for (float& b : bound.values) b *= unit;
  return bound;
}

void expect_like_reference(const LinearArm& arm, const Linear& op, Mat<const float> before,
                           const std::string& what) {
  const LinearTask& t = op.tasks[0];
  Matrix expected(t.y.rows, t.y.cols), actual(t.y.rows, t.y.cols);
  for (Matrix* m : {&expected, &actual}) {
    std::copy(before.data, before.data + before.rows * before.cols, m->values.begin());
    LinearTask task = t;
    task.y = m->mat();
    Linear one = op;
    one.tasks = {&task, 1};
    Context ref = arm.ctx;
    ref.backend = Backend::ref;
    m == &expected ? linear(ref, one) : arm.run(arm.ctx, one);
  }
  const Matrix bound = sum_bound(t.x, t.w, op.form, t.gather, t.y.rows);
  const test::Deviation d = test::deviation(actual.view(), expected.view(), bound.view());
  EXPECT_LE(d.worst, 1) << what << " " << d.where;
}

TEST(Linear, MatchesTheReferenceOnEveryShape) {
  ThreadPool pool(2);
  const Shape3 shapes[] = {{1, 1, 1},     {1, 7, 5},      {2, 16, 17},   {3, 128, 64},  {4, 129, 33},
                           {5, 200, 130}, {17, 320, 96},  {33, 135, 48}, {1, 1000, 40}, {6, 576, 257},
                           {70, 256, 36}, {40, 700, 300}, {520, 40, 33}};
  for (const LinearArm& arm : test::linear_arms(pool)) {
    for (DType dtype : kDTypes) {
      for (Form form : {Form::nt, Form::nn}) {
        for (const Shape3& s : shapes) {
          const Matrix x = test::random_matrix(s.m, s.k, 1);
          const StoredWeight w(form == Form::nt ? s.n : s.k, form == Form::nt ? s.k : s.n, dtype, 2, 1);
          const Matrix before = test::random_matrix(s.m, s.n, 3);
          LinearTask task{x.view(), w.whole(), Mat<float>(nullptr, s.m, s.n)};
          for (Write write : {Write::overwrite, Write::accumulate}) {
            const Linear op{{&task, 1}, form, write, Operands::by_mode};
            expect_like_reference(arm, op, before.view(), describe(arm, dtype, form, s));
          }
        }
      }
    }
  }
}

TEST(Linear, MatchesTheReferenceOnViewsGathersAndStrides) {
  ThreadPool pool(3);
  for (const LinearArm& arm : test::linear_arms(pool)) {
    for (DType dtype : kDTypes) {
      for (Form form : {Form::nt, Form::nn}) {
        for (int64_t first : {1, 64, 100, 128, 300}) {
          const int64_t rows = form == Form::nt ? 90 : 140, cols = 150;
          const StoredWeight stored(500, cols, dtype, 5, 3);
          const Weight w = stored.whole().rows_from(first, rows);
          const int64_t k = form == Form::nt ? cols : rows, n = form == Form::nt ? rows : cols;
          const Matrix wide = test::random_matrix(9, k + 11, 6);
          for (int64_t m : {11, 45}) {
            std::vector<int32_t> gather;
            for (int64_t i = 0; i < m; ++i) gather.push_back(static_cast<int32_t>((i * 5 + i / 7) % 9));
            LinearTask task{wide.view().columns(5, k), w, Mat<float>(nullptr, m, n), gather.data()};
            const Linear op{{&task, 1}, form, Write::overwrite, Operands::by_mode};
            expect_like_reference(arm, op, test::random_matrix(m, n, 7).view(),
                                  describe(arm, dtype, form, {m, k, n}));
          }
        }
      }
    }
  }
}

TEST(Linear, FullOperandsAreNotRounded) {
  ThreadPool pool(2);
  for (const LinearArm& arm : test::linear_arms(pool)) {
    const Matrix x = test::random_matrix(5, 300, 11);
    const StoredWeight w(70, 300, DType::f32, 12);
    LinearTask task{x.view(), w.whole(), Mat<float>(nullptr, 5, 70)};
    const Linear op{{&task, 1}, Form::nt, Write::overwrite, Operands::f32};
    expect_like_reference(arm, op, test::random_matrix(5, 70, 13).view(), arm.name);
  }
}

TEST(Linear, EveryFp8CodeMeansWhatTheReferenceSays) {
  ThreadPool pool(1);
  std::vector<std::byte> codes(256);
  for (size_t i = 0; i < 256; ++i) codes[i] = static_cast<std::byte>(i);
  const float scale = 0.5f;
  Weight w;
  w.data = codes.data();
  w.dtype = DType::e4m3;
  w.rows = 256;
  w.cols = 1;
  std::vector<float> scales(2, scale);
  w.scales = reinterpret_cast<const std::byte*>(scales.data());
  w.scale_cols = 1;
  // One row is decoded on the way, many share a decoded panel; factors at both ends of what sums must hold.
  for (const LinearArm& arm : test::linear_arms(pool)) {
    for (int64_t rows : {1, 20}) {
      for (float factor : {1.0f, 0x1p46f, 0x1p-70f}) {
        for (Form form : {Form::nt, Form::nn}) {
          const Matrix x(rows, 1, factor);
          Weight view = w;
          if (form == Form::nn) std::swap(view.rows, view.cols), view.scale_cols = 2;
          Matrix y(rows, 256);
          LinearTask task{x.view(), view, y.mat()};
          arm.run(arm.ctx, {{&task, 1}, form, Write::overwrite, Operands::by_mode});
          for (size_t i = 0; i < y.values.size(); ++i) {
            const auto code = static_cast<uint8_t>(i % 256);
            const float expected = to_float(e4m3{code}) * scale * factor;
            const float actual = y.values[i];
            if (std::isnan(expected))
              EXPECT_TRUE(std::isnan(actual)) << arm.name << " code " << int{code};
            else
              EXPECT_EQ(actual, expected) << arm.name << " code " << int{code} << " times " << factor;
          }
        }
      }
    }
  }
}

TEST(Linear, RefusesScalesThatAreNotFinite) {
  ThreadPool pool(2);
  for (const LinearArm& arm : test::linear_arms(pool)) {
    for (Form form : {Form::nt, Form::nn}) {
      StoredWeight w(260, 260, DType::e4m3, 21);
      const float bad = INFINITY;
      std::memcpy(w.scale_bytes() + 8 * sizeof(float), &bad, sizeof bad);  // the last block
      const Matrix x = test::random_matrix(2, 260, 22);
      Matrix y(2, 260);
      LinearTask task{x.view(), w.whole(), y.mat()};
      EXPECT_THROW(arm.run(arm.ctx, {{&task, 1}, form, Write::overwrite, Operands::by_mode}), Exception)
          << arm.name;
    }
  }
}

TEST(Linear, TakesEmptyTasks) {
  ThreadPool pool(2);
  for (const LinearArm& arm : test::linear_arms(pool)) {
    const Matrix x = test::random_matrix(3, 64, 31);
    const StoredWeight w(32, 64, DType::bf16, 32);
    Matrix y(3, 32);
    Matrix none(0, 32), no_rows(0, 64);
    const LinearTask empty{no_rows.view(), w.whole(), none.mat()};
    const LinearTask tasks[] = {empty, {x.view(), w.whole(), y.mat()}, empty};
    arm.run(arm.ctx, {tasks, Form::nt, Write::overwrite, Operands::by_mode});
    Matrix alone(3, 32);
    const LinearTask task{x.view(), w.whole(), alone.mat()};
    arm.run(arm.ctx, {{&task, 1}, Form::nt, Write::overwrite, Operands::by_mode});
    EXPECT_TRUE(test::same_bits(y.view(), alone.view())) << arm.name;
    arm.run(arm.ctx, {});
  }
}

}  // namespace
}  // namespace fathom::kernels
