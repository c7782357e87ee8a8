// Routing, sorting by expert and summing expert outputs.
#include "kernels/moe.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/router.h"
#include "tests/support/kernel_data.h"

namespace fathom::kernels {
namespace {

using test::Matrix;

struct Routing {
  std::vector<int32_t> index;
  Matrix weight;
  Routing(const Context& ctx, const Matrix& logits, const std::vector<float>& bias, int64_t groups,
          int64_t kept, int64_t k, bool normalize)
      : index(static_cast<size_t>(logits.rows * k)), weight(logits.rows, k) {
    router(
        ctx,
        {logits.view(), bias, groups, kept, normalize, 2.5f, {index.data(), logits.rows, k}, weight.mat()});
  }
};

TEST(Router, ChoosesWhatTheReferenceChooses) {
  ThreadPool one(1), three(3);
  for (const Context& ctx : test::cpu_contexts(three)) {
    for (const auto& [experts, groups, kept, k] :
         {std::array<int64_t, 4>{256, 8, 4, 8}, {64, 1, 1, 6}, {24, 4, 2, 3}, {5, 5, 2, 2}, {384, 1, 1, 8}}) {
      for (bool normalize : {false, true}) {
        const Matrix logits = test::random_matrix(50, experts, 1, 2);
        const std::vector<float> bias = test::random_matrix(1, experts, 2, 0.05f).values;
        Context ref = ctx, single = ctx;
        ref.backend = Backend::ref;
        single.pool = &one;
        const Routing a(ref, logits, bias, groups, kept, k, normalize),
            b(ctx, logits, bias, groups, kept, k, normalize);
        EXPECT_EQ(a.index, b.index) << test::name_of(ctx) << " experts " << experts;
        for (size_t i = 0; i < a.weight.values.size(); ++i)
          EXPECT_NEAR(a.weight.values[i], b.weight.values[i], 0x1p-20f * a.weight.values[i]);
        const Routing c(single, logits, bias, groups, kept, k, normalize);
        EXPECT_TRUE(test::same_bits(b.weight.view(), c.weight.view()));
      }
    }
  }
}

TEST(Router, EqualValuesGoToTheLowerIndex) {
  ThreadPool pool(1);
  for (const Context& ctx : test::cpu_contexts(pool)) {
    const Matrix logits(1, 16, 0.25f);
    const Routing r(ctx, logits, std::vector<float>(16, 0.0f), 4, 2, 5, true);
    EXPECT_EQ(r.index, (std::vector<int32_t>{0, 1, 2, 3, 4})) << test::name_of(ctx);
  }
}

TEST(Router, NegativeChoicesCompeteToo) {
  ThreadPool pool(1);
  for (const Context& ctx : test::cpu_contexts(pool)) {
    Context ref = ctx;
    ref.backend = Backend::ref;
    const Matrix logits = test::random_matrix(7, 32, 4);
    const std::vector<float> bias = test::random_matrix(1, 32, 5, 4).values;
    EXPECT_EQ(Routing(ref, logits, bias, 4, 2, 6, true).index,
              Routing(ctx, logits, bias, 4, 2, 6, true).index);
  }
}

TEST(Moe, GroupsAndCombinesAsTheReference) {
  ThreadPool one(1), three(3);
  constexpr int64_t kRows = 30, kTop = 3, kExperts = 10;
  std::vector<int32_t> index;
  for (int64_t i = 0; i < kRows * kTop; ++i)
    index.push_back(static_cast<int32_t>(philox(1, static_cast<uint64_t>(i), 0)[0] % 9));
  for (int64_t cols : {5, 64, 4100}) {
    const Matrix routed = test::random_matrix(kRows * kTop, cols, 2),
                 shared = test::random_matrix(kRows, cols, 3);
    const Matrix weight = test::random_matrix(kRows, kTop, 4), before = test::random_matrix(kRows, cols, 5);
    for (const Context& ctx : test::cpu_contexts(three)) {
      Context ref = ctx, single = ctx;
      ref.backend = Backend::ref;
      single.pool = &one;
      std::vector<std::vector<int32_t>> offsets, order;
      std::vector<Matrix> y;
      for (const Context* c : std::initializer_list<const Context*>{&ref, &single, &ctx}) {
        std::vector<int32_t> offset(kExperts + 1), row(kRows * kTop), slot(kRows * kTop);
        moe_group(*c, {{index.data(), kRows, kTop}, offset, row, {slot.data(), kRows, kTop}});
        Matrix out = before;
        moe_combine(*c, {routed.view(), shared.view(), {slot.data(), kRows, kTop}, weight.view(), out.mat()});
        offsets.push_back(offset);
        row.insert(row.end(), slot.begin(), slot.end());
        order.push_back(row);
        y.push_back(out);
      }
      EXPECT_EQ(offsets[0], offsets[1]);
      EXPECT_EQ(order[0], order[1]);
      const Matrix bound(kRows, cols, 0x1p-19f);
      const test::Deviation d = test::deviation(y[1].view(), y[0].view(), bound.view());
      EXPECT_LE(d.worst, 1) << test::name_of(ctx) << " " << d.where;
      EXPECT_TRUE(test::same_bits(y[1].view(), y[2].view()));
    }
  }
}

}  // namespace
}  // namespace fathom::kernels
