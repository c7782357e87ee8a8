#include "kernels/linear.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void linear(const Context& ctx, const Linear& op) {
  for (const LinearTask& t : op.tasks) {
    const bool nt = op.form == Form::nt;
    FATHOM_CHECK(t.w && t.x.cols == (nt ? t.w.cols : t.w.rows) && t.y.cols == (nt ? t.w.rows : t.w.cols));
    FATHOM_CHECK(t.gather != nullptr || t.x.rows == t.y.rows);
    FATHOM_CHECK((t.w.dtype == DType::e4m3) == (t.w.scales != nullptr));
  }
  if (ctx.backend == Backend::ref) return ref::linear(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::linear(ctx, op);
  }
  cpu::linear(ctx, op);
}

}  // namespace fathom::kernels
