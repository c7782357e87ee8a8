#include "kernels/embedding.h"

#include "tensor/element.h"

namespace fathom::kernels::ref {

void embedding(const Context&, const Embedding& op) {
  for (int64_t r = 0; r < op.y.rows; ++r) {
    const int64_t id = op.ids[static_cast<size_t>(r)];
    require_finite_scales(op.table, id, 1);
    dequantize_row(op.table, id, op.y.row(r));
  }
}

}  // namespace fathom::kernels::ref
