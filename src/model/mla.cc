#include "kernels/latent_store.h"
#include "kernels/linear.h"
#include "kernels/mla_attention.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "model/layers.h"

namespace fathom::model {
namespace {

// The norms inside attention keep their own epsilon whatever rms_norm_eps says (DeepSeek's and transformers'
// code).
constexpr float kLatentNormEps = 1e-6f;

// What a call computes: the rows' entries, what they read from the cache, or both.
struct Parts {
  bool entries, queries;
};

// q and the compressed key-value of every row, from the same input.
void project_inputs(const Pass& pass, const AttentionParameters& p, Mat<const float> x, Parts parts) {
  Workspace& ws = pass.ws;
  const bool low_rank = pass.config.q_lora_rank > 0;
  const Mat<const float> in = linear_input(pass, p.kv_a, x, ws.quantized);
  const Mat<float> cq = pass.active(ws.q_latent_in), q = pass.active(ws.q);
  const kernels::LinearTask tasks[] = {
      {.x = in, .w = low_rank ? p.q_a : p.q, .y = low_rank ? cq : q},
      {.x = in, .w = p.kv_a, .y = pass.active(ws.kv)},
  };
  kernels::linear(pass.ctx, {.tasks = std::span(tasks).subspan(parts.queries ? 0 : 1,
                                                               parts.queries && parts.entries ? 2 : 1)});
  if (!low_rank || !parts.queries) return;
  kernels::rms_norm(pass.ctx, {.x = cq, .weight = p.q_a_norm, .eps = kLatentNormEps, .y = cq});
  const kernels::LinearTask up[] = {{.x = linear_input(pass, p.q_b, cq, ws.quantized), .w = p.q_b, .y = q}};
  kernels::linear(pass.ctx, {.tasks = up});
}

Heads<float> heads_of(Mat<float> m, int64_t heads, int64_t offset, int64_t dim) {
  return {m.data + offset, m.rows, heads, dim, m.stride, m.cols / heads};
}

// One product per head with the head's rows of kv_b_proj: q_latent = q_nope W_UK, or v = W_UV o_latent.
void per_head(const Pass& pass, const Weight& kv_b, int64_t first_row, Heads<float> x, Heads<float> y,
              int64_t rows, kernels::Form form) {
  auto& tasks = pass.ws.tasks;
  tasks.clear();
  for (int64_t h = 0; h < x.heads; ++h) {
    const Weight w = kv_b.rows_from(h * pass.config.kv_head_rows() + first_row, rows);
    tasks.push_back({.x = x.head(h), .w = w, .y = y.head(h)});
  }
  kernels::linear(pass.ctx, {.tasks = tasks, .form = form});
}

void store_entries(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache) {
  const Config& c = pass.config;
  Workspace& ws = pass.ws;
  const int64_t rope = c.qk_rope_head_dim;
  const Mat<float> kv = pass.active(ws.kv), latent = pass.active(ws.latent);
  const Mat<float> rope_key = kv.columns(c.kv_lora_rank, rope);
  kernels::rms_norm(
      pass.ctx,
      {.x = kv.columns(0, c.kv_lora_rank), .weight = p.kv_a_norm, .eps = kLatentNormEps, .y = latent});
  // Under act-quant the latent is rounded where kv_b_proj would read it, so the cache holds the rounded one.
  const Mat<const float> stored = linear_input(pass, p.kv_b, latent, ws.quantized);
  kernels::rope(
      pass.ctx,
      {.x = heads_of(rope_key, 1, 0, rope), .cos = pass.active(ws.cos), .sin = pass.active(ws.sin)});
  kernels::latent_store(pass.ctx,
                        {.latent = stored, .rope = rope_key, .rows = pass.step.rows, .cache = cache});
}

// hidden += what the rows' queries find in the cache.
void attend(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
            Mat<float> hidden) {
  const Config& c = pass.config;
  Workspace& ws = pass.ws;
  const int64_t heads = c.num_attention_heads, nope = c.qk_nope_head_dim, rope = c.qk_rope_head_dim;
  const Heads<float> q_nope = heads_of(pass.active(ws.q), heads, 0, nope);
  const Heads<float> q_rope = heads_of(pass.active(ws.q), heads, nope, rope);
  kernels::rope(pass.ctx, {.x = q_rope, .cos = pass.active(ws.cos), .sin = pass.active(ws.sin)});

  const Heads<float> q_latent = heads_of(pass.active(ws.q_latent), heads, 0, c.kv_lora_rank);
  const Heads<float> o_latent = heads_of(pass.active(ws.o_latent), heads, 0, c.kv_lora_rank);
  const Mat<float> attention = pass.active(ws.attention);
  per_head(pass, p.kv_b, 0, q_nope, q_latent, nope, kernels::Form::nn);
  kernels::mla_attention(pass.ctx, {.q_latent = q_latent,
                                    .q_rope = q_rope,
                                    .rows = pass.step.rows,
                                    .cache = cache,
                                    .scale = pass.rope.softmax_scale,
                                    .out = o_latent});
  per_head(pass, p.kv_b, nope, o_latent, heads_of(attention, heads, 0, c.v_head_dim), c.v_head_dim,
           kernels::Form::nt);

  const kernels::LinearTask out[] = {
      {.x = linear_input(pass, p.o, attention, ws.quantized), .w = p.o, .y = hidden}};
  kernels::linear(pass.ctx, {.tasks = out, .write = Write::accumulate});
}

}  // namespace

void mla(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
         Mat<const float> x, Mat<float> hidden) {
  project_inputs(pass, p, x, {.entries = true, .queries = true});
  store_entries(pass, p, cache);
  attend(pass, p, cache, hidden);
}

void mla_entries(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
                 Mat<const float> x) {
  project_inputs(pass, p, x, {.entries = true, .queries = false});
  store_entries(pass, p, cache);
}

void mla_stored(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
                Mat<const float> x, Mat<float> hidden) {
  project_inputs(pass, p, x, {.entries = false, .queries = true});
  attend(pass, p, cache, hidden);
}

}  // namespace fathom::model
