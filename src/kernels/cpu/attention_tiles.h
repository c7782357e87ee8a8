// A stretch of attention on matrix tiles T, in BF16 with FP32 sums.
//
// Within a stretch, spans of kSpan keys in order: all scores of the span, the new largest, the probabilities,
// and the weighted latents, which are added to what came before once that is scaled to the new largest.
// Columns are rows of the batch by heads, in tiles of 16 that belong to one row.
#pragma once

#include "kernels/cpu/attention_merge.h"
#include "kernels/cpu/linear_tiles.h"

namespace fathom::kernels::cpu {

// What the tiles work on, all in the thread's scratch. P, q and values are tiles; a tile of columns is 16
// wide.
struct TileAttentionScratch {
  static constexpr int64_t kSpan = 256, kColumnTiles = 8;
  std::byte *q, *keys, *values, *p;
  float *score, *sums, *block, *largest, *total, *factor;

  static int64_t key_steps(const PagedLatent& c) { return (c.width() + 31) / 32; }
  static int64_t padded_latent(const PagedLatent& c) { return (c.latent + 31) / 32 * 32; }
  static size_t bytes(const PagedLatent& c) { return TileAttentionScratch(nullptr, c).end_; }

  TileAttentionScratch(std::byte* memory, const PagedLatent& c) : memory_(memory) {
    q = take(kColumnTiles * key_steps(c) * kTileBytes);
    keys = take(c.width() % 32 == 0 ? 0 : kSpan * key_steps(c) * 64);
    values = take(kSpan * padded_latent(c) * 2);
    p = take(kColumnTiles * kSpan / 32 * kTileBytes);
    score = floats(kColumnTiles * kSpan * 16);
    sums = floats(kColumnTiles * 16 * padded_latent(c));
    block = floats(2 * 256);
    largest = floats(kColumnTiles * 16);
    total = floats(kColumnTiles * 16);
    factor = floats(kColumnTiles * 16);
  }

 private:
  std::byte* take(int64_t bytes) {
    std::byte* at = memory_ == nullptr ? nullptr : memory_ + end_;  // null: only the size is wanted
    end_ += static_cast<size_t>(bytes + 63) / 64 * 64;
    return at;
  }
  float* floats(int64_t count) { return reinterpret_cast<float*>(take(count * 4)); }
  std::byte* memory_;
  size_t end_ = 0;
};

template <class T>
class TileAttention {
  using Scratch = TileAttentionScratch;
  static constexpr int64_t kSpan = Scratch::kSpan;

 public:
  static constexpr int64_t kColumns = Scratch::kColumnTiles * 16, kHeadUnit = 16;

  static size_t scratch_bytes(const MlaAttention& op) { return Scratch::bytes(op.cache); }

  TileAttention(const MlaAttention& op, const AttentionGroup& g, std::byte* memory)
      : op_(op),
        g_(g),
        s_(memory, op.cache),
        per_row_((g.heads + 15) / 16),
        steps_(Scratch::key_steps(op.cache)),
        latent_(Scratch::padded_latent(op.cache)) {
    for (int64_t t = 0; t < tiles(); ++t) pack_queries(t);
  }

  void stretch(int64_t begin, const PartialSoftmax& out) {
    const int64_t end = g_.longest < begin + kStretch ? g_.longest : begin + kStretch;
    for (int64_t t = 0; t < tiles(); ++t) {
      _mm512_store_ps(s_.largest + 16 * t, _mm512_set1_ps(-__builtin_inff()));
      _mm512_store_ps(s_.total + 16 * t, _mm512_setzero_ps());
    }
    for (int64_t span = begin; span < end; span += kSpan) {
      const int64_t n = end - span < kSpan ? end - span : kSpan;
      span_scores(span, n);
      for (int64_t t = 0; t < tiles(); ++t)
        if (const int64_t keys = keys_of(t, span); keys > 0) softmax(t, keys);
      pack_values(span, n);
      span_values(span, span == begin);
    }
    for (int64_t c = 0; c < g_.columns(); ++c) write_column_sum(c, out);
  }

 private:
  int64_t tiles() const { return g_.rows * per_row_; }
  // Keys of the span that the row of column tile t sees.
  int64_t keys_of(int64_t t, int64_t span) const {
    const int64_t n = op_.rows.position[g_.row + t / per_row_] + 1 - span;
    return n < kSpan ? n : kSpan;
  }
  const std::byte* entry(int64_t key) const {
    return op_.cache.entry(op_.rows.block(g_.row, key), key % kBlockTokens);
  }

  // B tiles: pairs of the query's columns by heads.
  void pack_queries(int64_t t) {
    const int64_t row = g_.row + t / per_row_, first = t % per_row_ * 16, latent = op_.cache.latent;
    const int64_t heads = g_.heads - first < 16 ? g_.heads - first : 16;
    alignas(64) float both[32];
    for (int64_t s = 0; s < steps_; ++s) {
      __m512i v[16];
      for (int64_t h = 0; h < 16; ++h) {
        v[h] = _mm512_setzero_si512();
        if (h >= heads) continue;
        const float* q = op_.q_latent.at(row, g_.head + first + h);
        const float* rope = op_.q_rope.at(row, g_.head + first + h);
        if (32 * s + 32 <= latent) {
          v[h] = bf16_pairs(q + 32 * s, 32);
          continue;
        }
        int64_t n = 0;
        for (int64_t c = 32 * s; c < 32 * s + 32 && c < op_.cache.width(); ++c)
          both[n++] = c < latent ? q[c] : rope[c - latent];
        v[h] = bf16_pairs(both, n);
      }
      transpose16(v);
      for (int i = 0; i < 16; ++i) _mm512_store_si512(s_.q + (t * steps_ + s) * kTileBytes + i * 64, v[i]);
    }
  }

  // A tiles of 32 keys: the cache's own entries, or copies that end in zeros.
  StripTiles key_tiles(int64_t key, int64_t index) {
    const int64_t width = op_.cache.width(), stride = steps_ * 64;
    const std::byte* from = entry(key);
    if (width % 32 == 0) return {from, width * 2, 16 * width * 2, 64};
    std::byte* to = s_.keys + index * stride;
    for (int64_t i = 0; i < 32; ++i) {
      std::memcpy(to + i * stride, from + i * width * 2, static_cast<size_t>(width) * 2);
      std::memset(to + i * stride + width * 2, 0, static_cast<size_t>(stride - width * 2));
    }
    return {to, stride, 16 * stride, 64};
  }

  void span_scores(int64_t span, int64_t n) {
    for (int64_t j = 0; j < n; j += 32) {
      const StripTiles keys = key_tiles(span + j, j);
      const bool more = span + j + 32 < g_.longest;
      ReadAhead next(more ? entry(span + j + 32) : nullptr, 0, more ? 1 : 0, 32 * op_.cache.width() * 2);
      for (int64_t t = 0; t < tiles(); ++t) {
        float* out = s_.score + (t * kSpan + j) * 16;
        scores(keys, s_.q + t * steps_ * kTileBytes, next);
        store_sums<1>(tiles_, out);
      }
    }
  }
  void scores(const StripTiles& keys, const std::byte* queries, ReadAhead& next) {
    const int64_t share = next.lines() / steps_ + 1;
    clear_sums<1>(tiles_);
    for (int64_t s = 0; s < steps_; ++s) {
      next.ask(share);
      multiply_step<1>(tiles_, keys, s, queries, nullptr);
    }
  }

  // Scores of 16 heads become probabilities, as A tiles: heads by pairs of keys. Lanes are heads.
  void softmax(int64_t t, int64_t n) {
    const float* score = s_.score + t * kSpan * 16;
    const auto scale = _mm512_set1_ps(op_.scale);
    const auto before = _mm512_load_ps(s_.largest + 16 * t);
    auto largest = before;
    for (int64_t j = 0; j < n; ++j)
      largest = _mm512_max_ps(_mm512_mul_ps(_mm512_load_ps(score + 16 * j), scale), largest);
    const auto factor = exp<Avx512>(_mm512_sub_ps(before, largest));
    auto even = _mm512_setzero_ps(), odd = even;
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000));
    for (int64_t step = 0; 32 * step < n; ++step) {
      __m512i v[16];
      for (int64_t i = 0; i < 16; ++i) {
        const int64_t j = 32 * step + 2 * i;
        const auto a = probability(score, j, n, scale, largest),
                   b = probability(score, j + 1, n, scale, largest);
        even = _mm512_add_ps(even, a);
        odd = _mm512_add_ps(odd, b);
        const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(Avx512::round_bf16(a)), 16);
        v[i] = _mm512_or_si512(low, _mm512_and_si512(upper, _mm512_castps_si512(Avx512::round_bf16(b))));
      }
      transpose16(v);
      std::byte* tile = s_.p + (t * (kSpan / 32) + step) * kTileBytes;
      for (int i = 0; i < 16; ++i) _mm512_store_si512(tile + i * 64, v[i]);
    }
    const auto total = _mm512_fmadd_ps(_mm512_load_ps(s_.total + 16 * t), factor, _mm512_add_ps(even, odd));
    _mm512_store_ps(s_.total + 16 * t, total);
    _mm512_store_ps(s_.largest + 16 * t, largest);
    _mm512_store_ps(s_.factor + 16 * t, factor);
  }
  [[gnu::always_inline]] static __m512 probability(const float* score, int64_t j, int64_t n, __m512 scale,
                                                   __m512 largest) {
    if (j >= n) return _mm512_setzero_ps();
    return exp<Avx512>(_mm512_fmsub_ps(_mm512_load_ps(score + 16 * j), scale, largest));
  }

  // B tiles of the latents: pairs of keys by columns. Interleaving within lanes of 128 bits deals the columns
  // of 32 out to two tiles by fours; write_column_sum puts them back.
  void pack_values(int64_t span, int64_t n) {
    const int64_t width = op_.cache.width(), latent = op_.cache.latent;
    for (int64_t j = 0; j < (n + 31) / 32 * 32; j += 2) {
      const std::byte* row = entry(span + j);
      std::byte* out = s_.values + j / 32 * (latent_ / 16) * kTileBytes + j % 32 / 2 * 64;
      for (int64_t c = 0; c < latent_; c += 32) {
        const int64_t left = latent - c;
        const auto mask = left >= 32 ? ~uint32_t{0} : (uint32_t{1} << left) - 1;
        const __m512i a = _mm512_maskz_loadu_epi16(j < n ? mask : 0, row + 2 * c);
        const __m512i b = _mm512_maskz_loadu_epi16(j + 1 < n ? mask : 0, row + 2 * (width + c));
        _mm512_store_si512(out + c / 16 * kTileBytes, _mm512_unpacklo_epi16(a, b));
        _mm512_store_si512(out + (c / 16 + 1) * kTileBytes, _mm512_unpackhi_epi16(a, b));
      }
    }
  }

  void span_values(int64_t span, bool first) {
    for (int64_t t = 0; t < tiles(); ++t)
      if (const int64_t steps = (keys_of(t, span) + 31) / 32; steps > 0)
        for (int64_t c = 0; c < latent_; c += 32) values(t, steps, c, first);
  }

  // Columns [c, c + 32) of one column tile.
  void values(int64_t t, int64_t steps, int64_t c, bool first) {
    clear_sums<1>(tiles_);
    const std::byte* p = s_.p + t * (kSpan / 32) * kTileBytes;
    for (int64_t s = 0; s < steps; ++s) {
      const std::byte* b = s_.values + (s * (latent_ / 16) + c / 16) * kTileBytes;
      tiles_.template load<4>(p + s * kTileBytes, 64);
      tiles_.template load<6>(b, 64);
      tiles_.template multiply<0, 4, 6>();
      tiles_.template release<6>();
      tiles_.template load<7>(b + kTileBytes, 64);
      tiles_.template multiply<1, 4, 7>();
      tiles_.template release<7>();
      tiles_.template release<4>();
    }
    store_sums<1>(tiles_, s_.block);
    add_block(t, c, s_.block, first);
  }
  void add_block(int64_t t, int64_t c, const float* block, bool first) {
    for (int64_t h = 0; h < 16; ++h) {
      float* sum = s_.sums + (16 * t + h) * latent_ + c;
      for (int64_t half = 0; half < 2; ++half) {
        auto v = _mm512_load_ps(block + 256 * half + 16 * h);
        if (!first)
          v = _mm512_fmadd_ps(_mm512_load_ps(sum + 16 * half), _mm512_set1_ps(s_.factor[16 * t + h]), v);
        _mm512_store_ps(sum + 16 * half, v);
      }
    }
  }

  void write_column_sum(int64_t c, const PartialSoftmax& out) {
    const int64_t at = (c / g_.heads * per_row_ + c % g_.heads / 16) * 16 + c % g_.heads % 16,
                  latent = op_.cache.latent;
    out.largest[c] = s_.largest[at];
    out.total[c] = s_.total[at];
    for (int64_t i = 0; i < latent; i += 32) {
      const auto low = _mm512_load_ps(s_.sums + at * latent_ + i),
                 high = _mm512_load_ps(s_.sums + at * latent_ + i + 16);
      const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const __m512i second = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const int64_t n = latent - i < 16 ? latent - i : 16, m = latent - i - 16 < 16 ? latent - i - 16 : 16;
      float* to = out.latent + c * latent + i;
      Avx512::store_n(to, _mm512_permutex2var_ps(low, first, high), n);
      if (m > 0) Avx512::store_n(to + 16, _mm512_permutex2var_ps(low, second, high), m);
    }
  }

  const MlaAttention& op_;
  const AttentionGroup& g_;
  Scratch s_;
  int64_t per_row_, steps_, latent_;
  T tiles_;
};

}  // namespace fathom::kernels::cpu
