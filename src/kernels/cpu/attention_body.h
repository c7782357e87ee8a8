// A stretch of attention in FP32 arithmetic, as templates over the vector type S and the cache's dtype D.
//
// Within a stretch, blocks of kBlockTokens keys in order: scores, the new largest, what came before scaled to
// it, and the block's latents added key by key. Rows that come together share a block's keys, decoded once; a
// single row decodes on the way, since decoded keys would come and go through the second-level cache at four
// times the bytes.
#pragma once

#include <algorithm>

#include "kernels/cpu/attention_merge.h"
#include "kernels/cpu/dot_tile.h"

namespace fathom::kernels::cpu {

template <class S, DType D>
class VectorAttention {
 public:
  static constexpr int64_t kColumns = 64, kHeadUnit = 1;

  static size_t scratch_bytes(const MlaAttention& op) {
    return static_cast<size_t>(kColumns * row_floats(op.cache) + S::kHeadTile * kBlockTokens +
                               kBlockTokens * row_floats(op.cache)) *
           sizeof(float);
  }

  VectorAttention(const MlaAttention& op, const AttentionGroup& g, std::byte* memory)
      : op_(op),
        g_(g),
        row_(row_floats(op.cache)),
        q_(reinterpret_cast<float*>(memory)),
        score_(q_ + kColumns * row_),
        keys_(score_ + S::kHeadTile * kBlockTokens) {
    for (int64_t c = 0; c < g.columns(); ++c) take_query(c);
  }

  void stretch(int64_t begin, const PartialSoftmax& out) {
    const int64_t end = g_.longest < begin + kStretch ? g_.longest : begin + kStretch;
    for (int64_t c = 0; c < g_.columns(); ++c) {
      out.largest[c] = -__builtin_inff();
      out.total[c] = 0;
    }
    std::memset(out.latent, 0, static_cast<size_t>(g_.columns() * op_.cache.latent) * sizeof(float));
    for (int64_t j = begin; j < end; j += kBlockTokens) {
      stored_ = op_.cache.entry(op_.rows.block(g_.row, j), 0);
      if (!direct()) decode_keys(end - j < kBlockTokens ? end - j : kBlockTokens);
      for (int64_t r = 0; r < g_.rows; ++r) {
        const int64_t left = op_.rows.position[g_.row + r] + 1 - j;
        if (left > 0) row_block(r, left < kBlockTokens ? left : kBlockTokens, out);
      }
    }
  }

 private:
  // Floats of a decoded entry: whole vectors, and no multiple of a page.
  static int64_t row_floats(const PagedLatent& c) { return (((c.width() + 15) / 16) | 1) * 16; }

  void take_query(int64_t c) {
    float* q = q_ + c * row_;
    const int64_t row = g_.row + c / g_.heads, head = g_.head + c % g_.heads, latent = op_.cache.latent;
    if constexpr (D == DType::bf16) {
      round_bf16_row<S>(op_.q_latent.at(row, head), q, latent);
      round_bf16_row<S>(op_.q_rope.at(row, head), q + latent, op_.cache.rope);
    } else {
      std::memcpy(q, op_.q_latent.at(row, head), static_cast<size_t>(latent) * sizeof(float));
      std::memcpy(q + latent, op_.q_rope.at(row, head), static_cast<size_t>(op_.cache.rope) * sizeof(float));
    }
  }

  bool direct() const { return g_.rows == 1; }
  const std::byte* stored(int64_t key) const {
    return stored_ + static_cast<size_t>(key * op_.cache.width()) * size_of(D);
  }

  void decode_keys(int64_t n) {
    const int64_t width = op_.cache.width();
    for (int64_t i = 0; i < (n + 3) / 4 * 4; ++i) {
      float* key = keys_ + i * row_;
      const int64_t from = i < n ? i : 0;  // keys that are not there repeat the first
      dequantize<S, D>(stored(from), nullptr, width, key);
      for (int64_t c = width; c % S::kLanes != 0; ++c) key[c] = 0;
    }
  }

  // The heads of row r against the first n keys of the block.
  void row_block(int64_t r, int64_t n, const PartialSoftmax& out) {
    const int64_t begin = r * g_.heads, end = begin + g_.heads;
    int64_t c = begin;
    for (; c + S::kHeadTile <= end; c += S::kHeadTile) column_tile<S::kHeadTile>(c, n, out);
    rest<S::kHeadTile - 1>(c, end - c, n, out);
  }
  template <int MR>
  void rest(int64_t c, int64_t columns, int64_t n, const PartialSoftmax& out) {
    if constexpr (MR > 0) {
      if (columns == MR) return column_tile<MR>(c, n, out);
      rest<MR - 1>(c, columns, n, out);
    }
  }

  template <int MR>
  void column_tile(int64_t c, int64_t n, const PartialSoftmax& out) {
    const float* q[MR];
    float* score[MR];
    for (int i = 0; i < MR; ++i) {
      q[i] = q_ + (c + i) * row_;
      score[i] = score_ + i * kBlockTokens;
    }
    if constexpr (MR <= S::kTileRows) {
      scores<MR>(q, n, score);
    } else {
      constexpr int kHalf = MR / 2;
      scores<kHalf>(q, n, score);
      scores<MR - kHalf>(q + kHalf, n, score + kHalf);
    }
    float factor[MR];
    for (int i = 0; i < MR; ++i) factor[i] = softmax_block(score[i], n, out.largest[c + i], out.total[c + i]);
    float* latent = out.latent + c * op_.cache.latent;
    direct() ? add_values<true, MR>(score, factor, n, latent)
             : add_values<false, MR>(score, factor, n, latent);
  }

  template <int MR>
  void scores(const float* const* q, int64_t n, float* const* score) const {
    const float* x[MR];
    std::copy_n(q, MR, x);
    direct() ? stored_scores<MR>(x, n, score) : decoded_scores<MR>(x, n, score);
  }
  template <int MR>
  void decoded_scores(const float* const (&q)[MR], int64_t n, float* const* score) const {
    for (int64_t j = 0; j < n; j += 4) {
      DotTile<S, MR> tile;
      tile.clear();
      dot_decoded<S, MR>(q, keys_ + j * row_, row_, op_.cache.width(), tile);
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i) _mm_storeu_ps(score[i] + j, tile.totals(i));
    }
  }
  template <int MR>
  void stored_scores(const float* const (&q)[MR], int64_t n, float* const* score) const {
    const FourStreams keys(0, n);
    for (int64_t j = 0; j < keys.length; ++j) {
      FourRows rows{};
      for (int i = 0; i < 4; ++i) rows.row[i] = stored(keys.at(j, i));
      DotTile<S, MR> tile;
      tile.clear();
      dot_stored<S, D, MR>(q, rows, op_.cache.width(), tile);
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i) keys.write(score[i], j, tile.totals(i), Write::overwrite);
    }
  }

  // score[0, n) becomes e^(scale score - largest), as it enters a product. Returns what scales the sums so
  // far.
  float softmax_block(float* score, int64_t n, float& largest, float& total) const {
    const auto scale = S::set1(op_.scale);
    auto top = S::set1(largest);
    for (int64_t j = 0; j < n; j += S::kLanes) {
      const int64_t lanes = n - j < S::kLanes ? n - j : S::kLanes;
      const auto s = S::mul(S::load_n(score + j, lanes), scale);
      S::store_n(score + j, s, lanes);
      // Lanes past the end hold 0 times the scale: they must not count.
      if (lanes == S::kLanes)
        top = S::max(s, top);
      else
        for (int64_t i = j; i < n; ++i) top = S::max(S::set1(score[i]), top);
    }
    const float now = S::largest(top), factor = exp1<S>(largest - now);
    auto sum = S::zero();
    for (int64_t j = 0; j < n; j += S::kLanes) {
      const int64_t lanes = n - j < S::kLanes ? n - j : S::kLanes;
      const auto e = exp<S>(S::sub(S::load_n(score + j, lanes), S::set1(now)));
      S::store_n(score + j, D == DType::bf16 ? S::round_bf16(e) : e, lanes);
      sum = S::add(sum, lanes == S::kLanes ? e : S::first_n(e, lanes));
    }
    total = total * factor + S::sum(sum);
    largest = now;
    return factor;
  }

  template <bool kDirect, int MR>
  void add_values(const float* const (&probability)[MR], const float (&factor)[MR], int64_t n,
                  float* latent) const {
    const int64_t width = op_.cache.latent;
    for (int64_t c = 0; c < width; c += S::kStep) {
      const int64_t count = width - c < S::kStep ? width - c : S::kStep;
      typename S::F acc[MR][S::kStepVectors];
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < S::kStepVectors; ++v)
          acc[i][v] = S::mul(load_part(latent + i * width + c, count, v), S::set1(factor[i]));
      for (int64_t j = 0; j < n; ++j) {
        typename S::F value[S::kStepVectors];
        if constexpr (kDirect) {
          decode_scaled<S, D>(stored(j) + static_cast<size_t>(c) * size_of(D), count, S::zero(), value);
        } else {
#pragma GCC unroll 4
          for (int v = 0; v < S::kStepVectors; ++v) value[v] = S::load(keys_ + j * row_ + c + v * S::kLanes);
        }
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i) {
          const auto p = S::set1(probability[i][j]);
#pragma GCC unroll 4
          for (int v = 0; v < S::kStepVectors; ++v) acc[i][v] = S::fma(p, value[v], acc[i][v]);
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < S::kStepVectors; ++v) store_part(latent + i * width + c, count, v, acc[i][v]);
    }
  }
  [[gnu::always_inline]] static typename S::F load_part(const float* p, int64_t count, int v) {
    const int64_t left = count - v * S::kLanes;
    if (left >= S::kLanes) return S::load(p + v * S::kLanes);
    return left > 0 ? S::load_n(p + v * S::kLanes, left) : S::zero();
  }
  [[gnu::always_inline]] static void store_part(float* p, int64_t count, int v, typename S::F value) {
    const int64_t left = count - v * S::kLanes;
    if (left >= S::kLanes)
      S::store(p + v * S::kLanes, value);
    else if (left > 0)
      S::store_n(p + v * S::kLanes, value, left);
  }

  const MlaAttention& op_;
  const AttentionGroup& g_;
  const int64_t row_;
  float *q_, *score_, *keys_;
  const std::byte* stored_ = nullptr;  // the block's first key
};

}  // namespace fathom::kernels::cpu
