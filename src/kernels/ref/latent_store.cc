#include "kernels/latent_store.h"

#include "numeric/bf16.h"

namespace fathom::kernels::ref {

void latent_store(const Context&, const LatentStore& op) {
  for (int64_t r = 0; r < op.rows.rows; ++r) {
    const int64_t position = op.rows.position[r];
    std::byte* entry = op.cache.entry(op.rows.block(r, position), position % kBlockTokens);
    for (int64_t c = 0; c < op.cache.width(); ++c) {
      const float v = c < op.cache.latent ? op.latent.row(r)[c] : op.rope.row(r)[c - op.cache.latent];
      if (op.cache.dtype == DType::bf16)
        reinterpret_cast<bf16*>(entry)[c] = to_bf16(v);
      else
        reinterpret_cast<float*>(entry)[c] = v;
    }
  }
}

}  // namespace fathom::kernels::ref
