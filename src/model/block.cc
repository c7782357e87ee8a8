#include "kernels/act_quant.h"
#include "kernels/rms_norm.h"
#include "model/layers.h"

namespace fathom::model {
namespace {

Mat<const float> normed(const Pass& pass, const Weight& weight, Mat<const float> hidden) {
  const Mat<float> y = pass.active(pass.ws.normed);
  norm(pass.ctx, pass.config, weight, hidden, y);
  return y;
}

void feed_forward(const Pass& pass, const LayerParameters& p, std::span<const float> bias, int64_t layer,
                  Mat<float> hidden) {
  const Mat<const float> x = normed(pass, p.ffn_norm, hidden);
  if (p.is_moe)
    moe(pass, p.moe, bias, layer, x, hidden);
  else
    ffn(pass, p.dense, x, hidden, Write::accumulate);
}

}  // namespace

void norm(const Context& ctx, const Config& config, const Weight& weight, Mat<const float> x, Mat<float> y) {
  kernels::rms_norm(ctx, {.x = x, .weight = weight, .eps = static_cast<float>(config.rms_norm_eps), .y = y});
}

Mat<const float> linear_input(const Pass& pass, const Weight& w, Mat<const float> x, Mat<float> scratch) {
  if (!pass.options.act_quant || w.dtype != DType::e4m3) return x;
  const Mat<float> rounded = scratch.rows_from(0, x.rows).columns(0, x.cols);
  kernels::act_quant(pass.ctx, {.x = x, .y = rounded, .format = pass.options.act_format});
  return rounded;
}

void block(const Pass& pass, const LayerParameters& p, std::span<const float> bias, int64_t layer,
           Mat<float> hidden) {
  const Mat<const float> x = normed(pass, p.attention_norm, hidden);
  mla(pass, p.attention, pass.step.cache[static_cast<size_t>(layer)], x, hidden);
  feed_forward(pass, p, bias, layer, hidden);
}

void block_stored(const Pass& pass, const LayerParameters& p, std::span<const float> bias, int64_t layer,
                  Mat<const float> x, Mat<float> hidden) {
  mla_stored(pass, p.attention, pass.step.cache[static_cast<size_t>(layer)], x, hidden);
  feed_forward(pass, p, bias, layer, hidden);
}

}  // namespace fathom::model
