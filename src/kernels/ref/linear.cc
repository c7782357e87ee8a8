#include "kernels/linear.h"

#include <vector>

#include "numeric/bf16.h"
#include "tensor/element.h"

namespace fathom::kernels::ref {
namespace {

void product(const Linear& op, const LinearTask& t, bool round) {
  const bool nt = op.form == Form::nt;
  const int64_t n = t.y.cols, k = t.x.cols;
  require_finite_scales(t.w, 0, t.w.rows);
  std::vector<float> w(static_cast<size_t>(t.w.rows * t.w.cols));
  for (int64_t r = 0; r < t.w.rows; ++r) dequantize_row(t.w, r, &w[static_cast<size_t>(r * t.w.cols)]);
  for (int64_t m = 0; m < t.y.rows; ++m) {
    const float* x = t.x.row(t.gather != nullptr ? t.gather[m] : m);
    for (int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += (round ? round_bf16(x[i]) : x[i]) * w[static_cast<size_t>(nt ? j * k + i : i * n + j)];
      float& y = t.y.row(m)[j];
      y = op.write == Write::accumulate ? y + sum : sum;
    }
  }
}

}  // namespace

void linear(const Context& ctx, const Linear& op) {
  const bool round = ctx.mode == Mode::fast && op.operands == Operands::by_mode;
  for (const LinearTask& t : op.tasks) product(op, t, round);
}

}  // namespace fathom::kernels::ref
