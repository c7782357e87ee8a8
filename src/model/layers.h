// The parts of a transformer block, each adding its result to the residual stream. They read like the
// report's equations; kernels do the arithmetic.
#pragma once

#include <span>

#include "model/config.h"
#include "model/parameters.h"
#include "model/rope.h"
#include "model/step.h"
#include "model/workspace.h"
#include "tensor/context.h"

namespace fathom::model {

// What every part of one step shares.
struct Pass {
  const Context& ctx;
  const Config& config;
  const RopeConstants& rope;
  const Options& options;
  const Step& step;
  Workspace& ws;
  Observer* observer;  // may be null

  int64_t rows() const { return step.rows.rows; }
  template <class T>
  Mat<T> active(const Mat<T>& m) const {
    return m.rows_from(0, rows());
  }
};

// hidden += MLA(x) (report section 2.1.1), absorbed: scores and sums over the cached latents themselves.
// Writes the step's entries into `cache`.
void mla(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
         Mat<const float> x, Mat<float> hidden);

// The two halves of mla(): the step's entries alone, and the rest for rows whose entries are there.
void mla_entries(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
                 Mat<const float> x);
void mla_stored(const Pass& pass, const AttentionParameters& p, const kernels::PagedLatent& cache,
                Mat<const float> x, Mat<float> hidden);

// out (=|+=) down(silu(gate x) * up x).
void ffn(const Pass& pass, const FfnParameters& p, Mat<const float> x, Mat<float> out, Write write);

// hidden += sum of the chosen experts, weighted, + the shared expert (report section 2.1.2). `layer` is for
// the observer.
void moe(const Pass& pass, const MoeParameters& p, std::span<const float> bias, int64_t layer,
         Mat<const float> x, Mat<float> hidden);

// hidden += attention(norm(hidden)); hidden += ffn or moe(norm(hidden)).
void block(const Pass& pass, const LayerParameters& p, std::span<const float> bias, int64_t layer,
           Mat<float> hidden);

// block() where the step's entries are in the cache already and `x` is norm(hidden).
void block_stored(const Pass& pass, const LayerParameters& p, std::span<const float> bias, int64_t layer,
                  Mat<const float> x, Mat<float> hidden);

// y = RMSNorm(x) with the model's epsilon. y may be x.
void norm(const Context& ctx, const Config& config, const Weight& weight, Mat<const float> x, Mat<float> y);

// x as a linear with weight w takes it: FP8-rounded into `scratch` under act-quant when w is FP8, else x
// itself.
Mat<const float> linear_input(const Pass& pass, const Weight& w, Mat<const float> x, Mat<float> scratch);

}  // namespace fathom::model
