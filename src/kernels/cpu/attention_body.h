// mla_attention() in FP32 arithmetic, as templates over the vector type S.
//
// Keys are taken in spans of kSpan by absolute position. A span yields its largest score, the sum of
// exponentials and the weighted sum of latents; spans are merged in order. So the bits of a row depend on its
// position and its keys alone, and spans may be computed by anyone.
#pragma once

#include "kernels/cpu/attention_spans.h"
#include "kernels/cpu/dot_tile.h"
#include "kernels/mla_attention.h"

namespace fathom::kernels::cpu {

// One span of one head: sum_j e^(s_j - largest), and sum_j e^(s_j - largest) latent_j.
struct SpanResult {
  float largest, total;
  float* latent;
};

// into = the softmax over the keys of both.
template <class S>
void merge_span(SpanResult& into, const SpanResult& next, int64_t width) {
  const float largest = next.largest > into.largest ? next.largest : into.largest;
  const float old_factor = exp1<S>(into.largest - largest), new_factor = exp1<S>(next.largest - largest);
  into.total = into.total * old_factor + next.total * new_factor;
  into.largest = largest;
  for (int64_t c = 0; c < width; c += S::kLanes) {
    const int64_t n = width - c < S::kLanes ? width - c : S::kLanes;
    const auto scaled = S::mul(S::load_n(next.latent + c, n), S::set1(new_factor));
    S::store_n(into.latent + c, S::fma(S::load_n(into.latent + c, n), S::set1(old_factor), scaled), n);
  }
}

// score[0, n) becomes e^(scale score - largest), zero up to whole vectors; `operand` rounds what enters the
// product.
template <class S>
void softmax_span(float* score, int64_t n, float scale, bool round, SpanResult& out) {
  const auto factor = S::set1(scale);
  auto largest = S::set1(-__builtin_inff());
  for (int64_t j = 0; j < n; ++j) score[j] *= scale;
  const int64_t whole = (n + S::kLanes - 1) / S::kLanes * S::kLanes;
  for (int64_t j = n; j < whole; ++j) score[j] = -__builtin_inff();
  (void)factor;
  for (int64_t j = 0; j < whole; j += S::kLanes) largest = S::max(S::load(score + j), largest);
  out.largest = S::largest(largest);
  auto total = S::zero();
  for (int64_t j = 0; j < whole; j += S::kLanes) {
    const auto e = exp<S>(S::sub(S::load(score + j), S::set1(out.largest)));
    total = S::add(total, e);
    S::store(score + j, round ? S::round_bf16(e) : e);
  }
  out.total = S::sum(total);
}

template <class S, DType D, int MR>
void score_block(const float* q, int64_t q_stride, const StoredRows& keys, int64_t n, int64_t width,
                 float* score) {
  const float* x[MR];
  for (int i = 0; i < MR; ++i) x[i] = q + i * q_stride;
  const std::byte* const none[4] = {};
  for (int64_t j = 0; j < n; j += 4) {
    const std::byte* w[4];
    for (int64_t k = 0; k < 4; ++k) w[k] = keys.row(j + k < n ? j + k : j);
    DotTile<S, MR> tile;
    tile.clear();
    dot_stored<S, D, MR>(x, w, none, width, tile);
    for (int i = 0; i < MR; ++i)
      write_four(score + i * kSpan + j, tile.totals(i), n - j < 4 ? n - j : 4, Write::overwrite);
  }
}

// latent[i] (+)= probability[i] w for MR heads and the n keys of one block.
template <class S, DType D, int MR>
void value_block(const float* probability, const StoredRows& keys, int64_t n, int64_t latent, float* out,
                 bool first) {
  const float* x[MR];
  for (int i = 0; i < MR; ++i) x[i] = probability + i * kSpan;
  const auto no_scales = [](int64_t) -> const std::byte* { return nullptr; };
  for (int64_t c = 0; c < latent; c += S::kStep) {
    const int64_t count = latent - c < S::kStep ? latent - c : S::kStep;
    typename S::F acc[MR][S::kStepVectors];
    axpy_stored<S, D, MR>(x, keys, no_scales, n, c, count, acc);
    for (int i = 0; i < MR; ++i) {
      for (int v = 0; v < S::kStepVectors; ++v) {
        const int64_t left = count - v * S::kLanes;
        if (left > 0)
          write_vector<S>(out + i * latent + c + v * S::kLanes, acc[i][v],
                          left < S::kLanes ? left : S::kLanes, first ? Write::overwrite : Write::accumulate);
      }
    }
  }
}

// What a thread keeps while it works on up to kHeads heads of one row.
struct HeadsScratch {
  float *q, *score, *part, *sum;
  static int64_t floats(const PagedLatent& c) { return kHeads * (c.width() + kSpan + 2 * c.latent) + 64; }
  HeadsScratch(std::byte* memory, const PagedLatent& c)
      : q(reinterpret_cast<float*>(memory)),
        score(q + kHeads * c.width()),
        part(score + kHeads * kSpan),
        sum(part + kHeads * c.latent) {}
};

// MR heads of row r over the keys [begin, end) of one span.
template <class S, DType D, int MR>
void attend_span(const MlaAttention& op, bool round, int64_t r, int64_t begin, int64_t end,
                 const HeadsScratch& s, SpanResult (&out)[MR]) {
  const PagedLatent& cache = op.cache;
  const size_t stride = static_cast<size_t>(cache.width()) * size_of(D);
  for (int64_t j = begin; j < end; j += kBlockTokens) {
    const int64_t n = end - j < kBlockTokens ? end - j : kBlockTokens;
    const StoredRows keys{cache.entry(op.rows.block(r, j), 0), stride};
    score_block<S, D, MR>(s.q, cache.width(), keys, n, cache.width(), s.score + (j - begin));
  }
  for (int i = 0; i < MR; ++i) softmax_span<S>(s.score + i * kSpan, end - begin, op.scale, round, out[i]);
  for (int64_t j = begin; j < end; j += kBlockTokens) {
    const int64_t n = end - j < kBlockTokens ? end - j : kBlockTokens;
    const StoredRows keys{cache.entry(op.rows.block(r, j), 0), stride};
    value_block<S, D, MR>(s.score + (j - begin), keys, n, cache.latent, out[0].latent, j == begin);
  }
}

template <class S, DType D, int MR>
void attend_heads(const MlaAttention& op, bool round, int64_t r, int64_t h, const HeadsScratch& s) {
  const int64_t keys = op.rows.position[r] + 1, latent = op.cache.latent;
  for (int i = 0; i < MR; ++i) {
    float* q = s.q + i * op.cache.width();
    const float* from[2] = {op.q_latent.at(r, h + i), op.q_rope.at(r, h + i)};
    if (round) {
      round_bf16_row<S>(from[0], q, latent);
      round_bf16_row<S>(from[1], q + latent, op.cache.rope);
    } else {
      std::memcpy(q, from[0], static_cast<size_t>(latent) * sizeof(float));
      std::memcpy(q + latent, from[1], static_cast<size_t>(op.cache.rope) * sizeof(float));
    }
  }
  SpanResult sum[MR], part[MR];
  for (int i = 0; i < MR; ++i) sum[i].latent = s.sum + i * latent;
  for (int i = 0; i < MR; ++i) part[i].latent = s.part + i * latent;
  attend_span<S, D, MR>(op, round, r, 0, keys < kSpan ? keys : kSpan, s, sum);
  for (int64_t begin = kSpan; begin < keys; begin += kSpan) {
    attend_span<S, D, MR>(op, round, r, begin, keys < begin + kSpan ? keys : begin + kSpan, s, part);
    for (int i = 0; i < MR; ++i) merge_span<S>(sum[i], part[i], latent);
  }
  for (int i = 0; i < MR; ++i) {
    const auto total = S::set1(sum[i].total);
    for (int64_t c = 0; c < latent; c += S::kLanes) {
      const int64_t n = latent - c < S::kLanes ? latent - c : S::kLanes;
      S::store_n(op.out.at(r, h + i) + c, S::div(S::load_n(sum[i].latent + c, n), total), n);
    }
  }
}

template <class S, DType D>
void attention_all(const Context& ctx, const MlaAttention& op) {
  const bool round = ctx.mode == Mode::fast;
  const int64_t groups = (op.q_latent.heads + kHeads - 1) / kHeads;
  ctx.pool->run(op.rows.rows * groups, [&](int64_t chunk, int thread) {
    const size_t bytes = static_cast<size_t>(HeadsScratch::floats(op.cache)) * sizeof(float);
    const HeadsScratch s(ctx.pool->scratch(thread, bytes), op.cache);
    const int64_t r = chunk / groups;
    int64_t h = chunk % groups * kHeads;
    const int64_t end = op.q_latent.heads < h + kHeads ? op.q_latent.heads : h + kHeads;
    for (; h + kHeads <= end; h += kHeads) attend_heads<S, D, kHeads>(op, round, r, h, s);
    for (; h < end; ++h) attend_heads<S, D, 1>(op, round, r, h, s);
  });
}

}  // namespace fathom::kernels::cpu
