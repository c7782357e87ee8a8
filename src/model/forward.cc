#include "model/forward.h"

#include <algorithm>

#include "kernels/embedding.h"
#include "kernels/linear.h"
#include "kernels/rope.h"
#include "model/layers.h"

namespace fathom::model {

void Forward::begin(const Step& step) {
  const int64_t rows = step.rows.rows;
  FATHOM_CHECK(rows <= ws_.max_rows() && static_cast<int64_t>(step.tokens.size()) == rows);
  FATHOM_CHECK(static_cast<int64_t>(step.cache.size()) == model_.config.all_layers());
  kernels::rope_angles(ctx_, {.positions = step.positions,
                              .frequencies = model_.rope.frequencies,
                              .factor = model_.rope.factor,
                              .cos = ws_.cos.rows_from(0, rows),
                              .sin = ws_.sin.rows_from(0, rows)});
}

Mat<float> Forward::layers(const Step& step, Observer* observer) {
  begin(step);
  const Pass pass{ctx_, model_.config, model_.rope, options_, step, ws_, observer};
  const Mat<float> hidden = pass.active(ws_.hidden);
  kernels::embedding(ctx_, {.ids = step.tokens, .table = model_.parameters.embed, .y = hidden});
  if (observer != nullptr) observer->hidden(0, hidden);
  for (size_t l = 0; l < model_.parameters.layers.size(); ++l) {
    block(pass, model_.parameters.layers[l], model_.router_bias[l], static_cast<int64_t>(l), hidden);
    if (observer != nullptr) observer->hidden(static_cast<int64_t>(l) + 1, hidden);
  }
  return hidden;
}

// The residual stream that a module's layer starts from (report eq. 21).
Mat<float> Forward::mtp_input(const Pass& pass, const MtpParameters& p, int64_t k,
                              Mat<const float> previous) {
  const int64_t width = model_.config.hidden_size;
  const Mat<float> input = pass.active(ws_.mtp_input), hidden = pass.active(ws_.hidden);
  const Mat<float> embedded = input.columns(0, width);
  norm(p.hnorm, previous, input.columns(width, width));
  kernels::embedding(
      ctx_, {.ids = pass.step.tokens, .table = model_.mtp_embed(static_cast<size_t>(k)), .y = embedded});
  norm(p.enorm, embedded, embedded);
  const kernels::LinearTask join[] = {{.x = input, .w = p.eh_proj, .y = hidden}};
  kernels::linear(ctx_, {.tasks = join});
  return hidden;
}

Mat<float> Forward::mtp(int64_t k, const Step& step, Mat<const float> previous, Observer* observer) {
  begin(step);
  const MtpParameters& p = model_.parameters.mtp[static_cast<size_t>(k)];
  const Pass pass{ctx_, model_.config, model_.rope, options_, step, ws_, observer};
  const Mat<float> hidden = mtp_input(pass, p, k, previous);
  const int64_t layer = model_.config.num_hidden_layers + k;
  block(pass, p.layer, model_.router_bias[static_cast<size_t>(layer)], layer, hidden);
  return hidden;
}

Mat<float> Forward::mtp_rows(int64_t k, const Step& step, Mat<const float> previous,
                             std::span<const int32_t> wanted) {
  const int64_t count = static_cast<int64_t>(wanted.size());
  if (count == step.rows.rows) return mtp(k, step, previous);
  begin(step);
  const MtpParameters& p = model_.parameters.mtp[static_cast<size_t>(k)];
  const int64_t layer = model_.config.num_hidden_layers + k;
  const Pass all{ctx_, model_.config, model_.rope, options_, step, ws_, nullptr};
  const Mat<float> hidden = mtp_input(all, p, k, previous), x = all.active(ws_.normed);
  norm(p.layer.attention_norm, hidden, x);
  mla_entries(all, p.layer.attention, step.cache[static_cast<size_t>(layer)], x);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t r = wanted[static_cast<size_t>(i)];
    FATHOM_CHECK(r >= i && r < step.rows.rows);
    ws_.few_positions[static_cast<size_t>(i)] = step.rows.position[r];
    ws_.few_sequences[static_cast<size_t>(i)] = step.rows.sequence[r];
    for (const Mat<float>& m : {hidden, x}) std::copy_n(m.row(r), m.cols, m.row(i));
    for (const Mat<float>& m : {ws_.cos, ws_.sin}) std::copy_n(m.row(r), m.cols, m.row(i));
  }
  if (count == 0) return hidden.rows_from(0, 0);
  Step few = step;
  few.tokens = {};
  few.positions = std::span<const int32_t>(ws_.few_positions).first(wanted.size());
  few.rows.rows = count;
  few.rows.position = ws_.few_positions.data();
  few.rows.sequence = ws_.few_sequences.data();
  const Pass pass{ctx_, model_.config, model_.rope, options_, few, ws_, nullptr};
  block_stored(pass, p.layer, model_.router_bias[static_cast<size_t>(layer)], layer, x.rows_from(0, count),
               hidden.rows_from(0, count));
  return hidden.rows_from(0, count);
}

void Forward::norm(const Weight& weight, Mat<const float> x, Mat<float> y) {
  model::norm(ctx_, model_.config, weight, x, y);
}

void Forward::final_norm(Mat<const float> hidden, Mat<float> out) {
  norm(model_.parameters.norm, hidden, out);
}

void Forward::mtp_norm(int64_t k, Mat<const float> hidden, Mat<float> out) {
  norm(model_.parameters.mtp[static_cast<size_t>(k)].norm, hidden, out);
}

void Forward::head(Mat<const float> normed, Mat<float> logits) {
  const kernels::LinearTask task[] = {{.x = normed, .w = model_.parameters.head, .y = logits}};
  kernels::linear(ctx_, {.tasks = task});
}

void Forward::mtp_head(int64_t k, Mat<const float> normed, Mat<float> logits) {
  const kernels::LinearTask task[] = {
      {.x = normed, .w = model_.mtp_head(static_cast<size_t>(k)), .y = logits}};
  kernels::linear(ctx_, {.tasks = task});
}

}  // namespace fathom::model
