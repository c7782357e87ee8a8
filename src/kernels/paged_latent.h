// The latent cache as attention reads it: a plain view. Whoever owns the blocks fills it in.
//
// A sequence's positions lie in blocks of kBlockTokens; its table names the block of each. An entry is the normalised
// latent followed by the rotated rope key, shared by all heads (report section 2.1.1, eq. 1 to 3).
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/mat.h"

namespace fathom::kernels {

inline constexpr int64_t kBlockTokens = 64;

// The cache of one layer: [blocks, kBlockTokens, latent + rope], F32 (faithful) or BF16 (fast).
struct PagedLatent {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  int64_t blocks = 0;
  int64_t latent = 0, rope = 0;  // widths in elements

  int64_t width() const { return latent + rope; }
  size_t block_bytes() const { return static_cast<size_t>(kBlockTokens * width()) * size_of(dtype); }
  // Entry of a position in a block, `width()` elements.
  std::byte* entry(int32_t block, int64_t slot) const {
    return data + static_cast<size_t>(block) * block_bytes() + static_cast<size_t>(slot * width()) * size_of(dtype);
  }
};

// Which sequence and position each row of a step belongs to.
struct RowMap {
  int64_t rows = 0;
  const int32_t* sequence = nullptr;  // [rows]: row of `tables`
  const int32_t* position = nullptr;  // [rows]
  Mat<const int32_t> tables;          // [sequences, blocks of the longest]

  int32_t block(int64_t row, int64_t position_of_key) const {
    return tables.row(sequence[row])[position_of_key / kBlockTokens];
  }
};

}  // namespace fathom::kernels
