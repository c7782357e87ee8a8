#include "kernels/embedding.h"

#include "base/build.h"
#include "base/check.h"

namespace fathom::kernels {

void embedding(const Context& ctx, const Embedding& op) {
  FATHOM_CHECK(static_cast<int64_t>(op.ids.size()) == op.y.rows && op.table.cols == op.y.cols);
  for (int32_t id : op.ids) FATHOM_CHECK(id >= 0 && id < op.table.rows);
  if (ctx.backend == Backend::ref) return ref::embedding(ctx, op);
  if constexpr (build::kHasCuda) {
    if (ctx.backend == Backend::cuda) return cuda::embedding(ctx, op);
  }
  cpu::embedding(ctx, op);
}

}  // namespace fathom::kernels
