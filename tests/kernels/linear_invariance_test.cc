// Batch invariance of products: a row's bits do not depend on its company, its task or the threads.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/linear.h"
#include "tests/support/tile_arms.h"

namespace fathom::kernels {
namespace {

using test::LinearArm;
using test::Matrix;
using test::StoredWeight;

struct Case {
  DType dtype;
  Form form;
  int64_t k, n;
};

Matrix product(const LinearArm& arm, const Case& c, const Weight& w, Mat<const float> x,
               const int32_t* gather, int64_t rows) {
  Matrix y(rows, c.n);
  const LinearTask task{x, w, y.mat(), gather};
  arm.run(arm.ctx, {{&task, 1}, c.form, Write::overwrite, Operands::by_mode});
  return y;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (DType d : {DType::f32, DType::bf16, DType::f16, DType::e4m3})
    for (Form f : {Form::nt, Form::nn}) all.push_back({d, f, 333, 213});
  return all;
}

TEST(LinearInvariance, ARowIsTheSameAloneAndAmongMany) {
  constexpr int64_t kRows = 70;
  ThreadPool one(1), three(3);
  for (const LinearArm& arm : test::linear_arms(one)) {
    for (const Case& c : cases()) {
      const StoredWeight w(c.form == Form::nt ? c.n : c.k, c.form == Form::nt ? c.k : c.n, c.dtype, 1);
      const Matrix x = test::random_matrix(kRows, c.k, 2);
      const Matrix all = product(arm, c, w.whole(), x.view(), nullptr, kRows);
      LinearArm threads = arm;
      threads.ctx.pool = &three;
      EXPECT_TRUE(
          test::same_bits(all.view(), product(threads, c, w.whole(), x.view(), nullptr, kRows).view()));
      for (int64_t count : {1, 2, 3, 5, 16, 17, 31}) {
        for (int64_t first = 0; first + count <= kRows; first += count) {
          const Matrix part =
              product(threads, c, w.whole(), x.view().rows_from(first, count), nullptr, count);
          ASSERT_TRUE(test::same_bits(all.view().rows_from(first, count), part.view()))
              << arm.name << " " << name_of(c.dtype) << " rows " << first << " + " << count;
        }
      }
      std::vector<int32_t> order(kRows);
      for (int64_t i = 0; i < kRows; ++i)
        order[static_cast<size_t>(i)] = static_cast<int32_t>((i * 37 + 11) % kRows);
      const Matrix shuffled = product(threads, c, w.whole(), x.view(), order.data(), kRows);
      for (int64_t i = 0; i < kRows; ++i)
        ASSERT_TRUE(test::same_bits(all.view().rows_from(order[static_cast<size_t>(i)], 1),
                                    shuffled.view().rows_from(i, 1)));
    }
  }
}

TEST(LinearInvariance, TasksOfAGroupAreAsThoughAlone) {
  ThreadPool pool(3);
  for (const LinearArm& arm : test::linear_arms(pool)) {
    for (DType dtype : {DType::bf16, DType::e4m3}) {
      const StoredWeight a(200, 256, dtype, 1), b(72, 256, dtype, 2), c(300, 128, dtype, 3);
      const Matrix x = test::random_matrix(20, 256, 4), z = test::random_matrix(6, 128, 5);
      const std::vector<int32_t> gather{3, 1, 19};
      std::vector<Matrix> grouped{{20, 200}, {3, 72}, {6, 300}, {20, 72}}, alone = grouped;
      const auto tasks_into = [&](std::vector<Matrix>& y) {
        return std::vector<LinearTask>{{x.view(), a.whole(), y[0].mat()},
                                       {x.view(), b.whole(), y[1].mat(), gather.data()},
                                       {z.view(), c.whole(), y[2].mat()},
                                       {x.view(), b.whole(), y[3].mat()}};
      };
      arm.run(arm.ctx, {tasks_into(grouped), Form::nt, Write::overwrite, Operands::by_mode});
      for (const LinearTask& task : tasks_into(alone))
        arm.run(arm.ctx, {{&task, 1}, Form::nt, Write::overwrite, Operands::by_mode});
      for (size_t i = 0; i < grouped.size(); ++i)
        EXPECT_TRUE(test::same_bits(grouped[i].view(), alone[i].view())) << arm.name << " task " << i;
    }
  }
}

}  // namespace
}  // namespace fathom::kernels
