// Writes new entries into the paged latent cache.
#pragma once

#include "kernels/paged_latent.h"
#include "tensor/context.h"

namespace fathom::kernels {

// Entry at (sequence, position) of row r = [latent[r], rope[r]], rounded to the cache's dtype. No two rows name the same
// entry.
struct LatentStore {
  Mat<const float> latent;  // [T, latent]: after kv_a_layernorm
  Mat<const float> rope;    // [T, rope]: rotated
  RowMap rows;
  PagedLatent cache;
};
void latent_store(const Context& ctx, const LatentStore& op);

namespace ref { void latent_store(const Context& ctx, const LatentStore& op); }
namespace cpu { void latent_store(const Context& ctx, const LatentStore& op); }
namespace cuda { void latent_store(const Context& ctx, const LatentStore& op); }

}  // namespace fathom::kernels
