#include "kernels/mla_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "numeric/bf16.h"
#include "tensor/element.h"

namespace fathom::kernels::ref {
namespace {

void attend(const MlaAttention& op, bool round, int64_t r, int64_t h) {
  const int64_t keys = op.rows.position[r] + 1, latent = op.cache.latent;
  const auto operand = [round](float v) { return round ? round_bf16(v) : v; };
  const auto key = [&](int64_t j, int64_t c) {
    return load_element(op.cache.entry(op.rows.block(r, j), j % kBlockTokens), op.cache.dtype, c);
  };
  std::vector<float> score(static_cast<size_t>(keys));
  float largest = -INFINITY;
  for (int64_t j = 0; j < keys; ++j) {
    float sum = 0;
    for (int64_t c = 0; c < latent; ++c) sum += operand(op.q_latent.at(r, h)[c]) * key(j, c);
    for (int64_t c = 0; c < op.cache.rope; ++c) sum += operand(op.q_rope.at(r, h)[c]) * key(j, latent + c);
    score[static_cast<size_t>(j)] = sum * op.scale;
    largest = std::max(largest, score[static_cast<size_t>(j)]);
  }
  float total = 0;
  for (float& s : score) total += s = std::exp(s - largest);
  for (int64_t c = 0; c < latent; ++c) {
    float sum = 0;
    for (int64_t j = 0; j < keys; ++j) sum += operand(score[static_cast<size_t>(j)]) * key(j, c);
    op.out.at(r, h)[c] = sum / total;
  }
}

}  // namespace

void mla_attention(const Context& ctx, const MlaAttention& op) {
  for (int64_t r = 0; r < op.rows.rows; ++r)
    for (int64_t h = 0; h < op.q_latent.heads; ++h) attend(op, ctx.mode == Mode::fast, r, h);
}

}  // namespace fathom::kernels::ref
