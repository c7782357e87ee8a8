// Spreads the rows of a cheap operation over threads when that pays.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tensor/context.h"

namespace fathom::kernels::cpu {

// Elements of simple arithmetic (about 4 microseconds) below which a parallel region costs more than it
// saves.
inline constexpr int64_t kGrain = 16384;

// Calls body(row, thread) for each of `rows` rows of `cost` elements each; inline when there is little to do.
template <class Body>
void for_rows(const Context& ctx, int64_t rows, int64_t cost, Body&& body) {
  const int64_t per_chunk = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, cost));
  const int64_t chunks = (rows + per_chunk - 1) / per_chunk;
  ctx.pool->run(chunks, [&](int64_t chunk, int thread) {
    const int64_t end = std::min(rows, (chunk + 1) * per_chunk);
    for (int64_t r = chunk * per_chunk; r < end; ++r) body(r, thread);
  });
}

}  // namespace fathom::kernels::cpu
