// Attention over the paged latent cache: against the reference, and the same bits in any company.
#include "kernels/mla_attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/latent_store.h"
#include "numeric/bf16.h"
#include "tensor/element.h"
#include "tests/support/tile_arms.h"

namespace fathom::kernels {
namespace {

using test::AttentionArm;
using test::Matrix;

// Sequences of given lengths whose blocks lie scattered in one cache.
struct Fixture {
  int64_t latent, rope, heads;
  std::vector<std::byte> cache_bytes;
  PagedLatent cache;
  std::vector<int32_t> table_values;
  Mat<const int32_t> tables;

  Fixture(Mode mode, std::vector<int64_t> lengths, int64_t latent_width, int64_t rope_width,
          int64_t head_count)
      : latent(latent_width), rope(rope_width), heads(head_count) {
    const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
    const int64_t blocks = (longest + kBlockTokens - 1) / kBlockTokens,
                  count = static_cast<int64_t>(lengths.size());
    cache = {nullptr, mode == Mode::fast ? DType::bf16 : DType::f32, blocks * count, latent, rope};
    cache_bytes.resize(static_cast<size_t>(cache.blocks) * cache.block_bytes());
    cache.data = cache_bytes.data();
    for (int64_t s = 0; s < count; ++s)
      for (int64_t b = 0; b < blocks; ++b)
        table_values.push_back(static_cast<int32_t>(cache.blocks - 1 - (b * count + s)));
    tables = {table_values.data(), count, blocks};
    for (int64_t s = 0; s < count; ++s) fill(s, lengths[static_cast<size_t>(s)]);
  }

  void fill(int64_t s, int64_t length) {
    const Matrix entries = test::random_matrix(length, latent + rope, 100 + static_cast<uint64_t>(s));
    for (int64_t j = 0; j < length; ++j) {
      std::byte* at = cache.entry(tables.row(s)[j / kBlockTokens], j % kBlockTokens);
      for (int64_t c = 0; c < cache.width(); ++c) {
        const float v = entries.view().row(j)[c];
        if (cache.dtype == DType::bf16)
          reinterpret_cast<bf16*>(at)[c] = to_bf16(v);
        else
          reinterpret_cast<float*>(at)[c] = v;
      }
    }
  }

  float key(const RowMap& rows, int64_t r, int64_t j, int64_t c) const {
    return load_element(cache.entry(rows.block(r, j), j % kBlockTokens), cache.dtype, c);
  }
};

struct Rows {
  std::vector<int32_t> sequence, position;
  RowMap map(const Fixture& f) const {
    return {static_cast<int64_t>(sequence.size()), sequence.data(), position.data(), f.tables};
  }
  Rows pick(const std::vector<int64_t>& which) const {
    Rows out;
    for (int64_t i : which) {
      out.sequence.push_back(sequence[static_cast<size_t>(i)]);
      out.position.push_back(position[static_cast<size_t>(i)]);
    }
    return out;
  }
};

template <class T>
Heads<T> heads_of(Mat<T> m, int64_t heads, int64_t dim, int64_t first) {
  return {m.data + first, m.rows, heads, dim, m.stride, m.cols / heads};
}

constexpr float kScale = 0.07f;

Matrix attend(const AttentionArm& arm, const Fixture& f, const Rows& rows, const Matrix& q) {
  Matrix out(q.rows, f.heads * f.latent);
  arm.run(arm.ctx, {heads_of(q.view(), f.heads, f.latent, 0), heads_of(q.view(), f.heads, f.rope, f.latent),
                    rows.map(f), f.cache, kScale, heads_of(out.mat(), f.heads, f.latent, 0)});
  return out;
}

AttentionArm reference(const AttentionArm& arm) {
  AttentionArm ref{arm.ctx, "reference", mla_attention};
  ref.ctx.backend = Backend::ref;
  return ref;
}

// First-order bound: errors of the scores shift probabilities, probabilities are rounded in fast mode, sums
// round.
Matrix attention_bound(const Fixture& f, const Rows& rows, const Matrix& q, bool fast) {
  const RowMap map = rows.map(f);
  Matrix bound(q.rows, f.heads * f.latent);
  for (int64_t r = 0; r < map.rows; ++r) {
    for (int64_t h = 0; h < f.heads; ++h) {
      const float* qh = q.view().row(r) + h * f.cache.width();
      const int64_t keys = map.position[r] + 1;
      std::vector<double> p(static_cast<size_t>(keys));
      double total = 0, score_error = 0;
      for (int64_t j = 0; j < keys; ++j) {
        double s = 0, magnitude = 0;
        for (int64_t c = 0; c < f.cache.width(); ++c) {
          const double term =
              static_cast<double>(fast ? round_bf16(qh[c]) : qh[c]) * f.key(map, r, j, c) * kScale;
          s += term;
          magnitude += std::fabs(term);
        }
        score_error = std::max(score_error, (8 + 4 * std::sqrt(f.cache.width())) * 0x1p-24 * magnitude);
        total += p[static_cast<size_t>(j)] = std::exp(s);
      }
      const double relative = 2 * score_error + (16 + 4 * std::sqrt(keys)) * 0x1p-24 + (fast ? 0x1p-8 : 0);
      for (int64_t c = 0; c < f.latent; ++c) {
        double sum = 0;
        for (int64_t j = 0; j < keys; ++j) sum += p[static_cast<size_t>(j)] * std::fabs(f.key(map, r, j, c));
        bound.mat().row(r)[h * f.latent + c] = static_cast<float>(relative * sum / total);
      }
    }
  }
  return bound;
}

Rows mixed_rows() { return {{0, 1, 1, 1, 2, 2, 0, 2, 2, 2}, {0, 69, 70, 63, 599, 255, 1, 256, 511, 64}}; }

TEST(MlaAttention, MatchesTheReference) {
  ThreadPool pool(2);
  for (const AttentionArm& arm : test::attention_arms(pool)) {
    for (const auto& [latent, rope, heads] :
         {std::array<int64_t, 3>{128, 64, 4}, {40, 6, 3}, {512, 64, 17}, {33, 2, 1}}) {
      const Fixture f(arm.ctx.mode, {3, 71, 600}, latent, rope, heads);
      const Rows rows = mixed_rows();
      const Matrix q = test::random_matrix(10, heads * (latent + rope), 9);
      const Matrix bound = attention_bound(f, rows, q, arm.ctx.mode == Mode::fast);
      const Matrix expected = attend(reference(arm), f, rows, q), actual = attend(arm, f, rows, q);
      const test::Deviation d = test::deviation(actual.view(), expected.view(), bound.view());
      EXPECT_LE(d.worst, 1) << arm.name << " latent " << latent << " " << d.where;
    }
  }
}

TEST(MlaAttention, ARowIsTheSameAloneAndAmongMany) {
  ThreadPool one(1), three(3);
  for (const AttentionArm& arm : test::attention_arms(one)) {
    const Fixture f(arm.ctx.mode, {3, 71, 2500}, 128, 64, 20);
    Rows rows = mixed_rows();
    for (int32_t p : {2499, 1000, 1023, 1024, 1025, 2047, 2048, 700})
      rows.sequence.push_back(2), rows.position.push_back(p);
    const int64_t count = static_cast<int64_t>(rows.position.size());
    const Matrix q = test::random_matrix(count, f.heads * f.cache.width(), 9);
    const Matrix all = attend(arm, f, rows, q);
    AttentionArm threads = arm;
    threads.ctx.pool = &three;
    EXPECT_TRUE(test::same_bits(all.view(), attend(threads, f, rows, q).view())) << arm.name;
    for (int64_t size : {1, 2, 5}) {
      for (int64_t first = count - size; first >= 0; first -= size) {
        std::vector<int64_t> which;
        Matrix part(size, q.cols);
        for (int64_t i = 0; i < size; ++i) {
          which.push_back(first + size - 1 - i);  // reversed
          std::copy_n(q.view().row(which.back()), q.cols, part.mat().row(i));
        }
        const Matrix out = attend(threads, f, rows.pick(which), part);
        for (int64_t i = 0; i < size; ++i)
          ASSERT_TRUE(test::same_bits(out.view().rows_from(i, 1),
                                      all.view().rows_from(which[static_cast<size_t>(i)], 1)))
              << arm.name << " row " << which[static_cast<size_t>(i)];
      }
    }
  }
}

TEST(LatentStore, WritesWhatTheReferenceWrites) {
  ThreadPool pool(2);
  for (const Context& ctx : test::cpu_contexts(pool)) {
    Fixture expected(ctx.mode, {3, 71, 600}, 40, 6, 1), actual(ctx.mode, {3, 71, 600}, 40, 6, 1);
    const Rows rows = mixed_rows();
    const Matrix latent = test::random_matrix(10, 40, 3), rope = test::random_matrix(10, 6, 4);
    Context ref = ctx;
    ref.backend = Backend::ref;
    latent_store(ref, {latent.view(), rope.view(), rows.map(expected), expected.cache});
    latent_store(ctx, {latent.view(), rope.view(), rows.map(actual), actual.cache});
    EXPECT_EQ(expected.cache_bytes, actual.cache_bytes) << test::name_of(ctx);
  }
}

}  // namespace
}  // namespace fathom::kernels
