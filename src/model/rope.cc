#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fathom::model {

RopeConstants rope_constants(const Config& c) {
  const double dim = static_cast<double>(c.qk_rope_head_dim), base = c.rope_theta;
  RopeConstants out;
  for (int64_t i = 0; i < c.qk_rope_head_dim / 2; ++i)
    out.frequencies.push_back(std::pow(base, -2.0 * static_cast<double>(i) / dim));
  double scale = 1.0 / std::sqrt(static_cast<double>(c.qk_head_dim()));
  if (c.yarn) {
    const Yarn& y = *c.yarn;
    // The index of the pair that turns `rotations` times over the original context.
    const auto pair_of = [&](double rotations) {
      const double length = static_cast<double>(y.original_max_position_embeddings);
      return dim * std::log(length / (rotations * 2 * std::numbers::pi)) / (2 * std::log(base));
    };
    const double low = std::max(std::floor(pair_of(y.beta_fast)), 0.0);
    double high = std::min(std::ceil(pair_of(y.beta_slow)), dim - 1);
    if (low == high) high += 0.001;
    for (size_t i = 0; i < out.frequencies.size(); ++i) {
      const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
      const double f = out.frequencies[i];
      out.frequencies[i] = f / y.factor * ramp + f * (1 - ramp);
    }
    const auto m = [&](double a) { return y.factor <= 1 ? 1.0 : 0.1 * a * std::log(y.factor) + 1.0; };
    out.factor = m(y.mscale) / m(y.mscale_all_dim);
    if (y.mscale_all_dim != 0) scale *= m(y.mscale_all_dim) * m(y.mscale_all_dim);
  }
  out.softmax_scale = static_cast<float>(scale);
  return out;
}

}  // namespace fathom::model
