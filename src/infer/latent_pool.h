// Owns the blocks of the paged latent cache: kBlockTokens positions of every layer each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/paged_latent.h"
#include "model/config.h"
#include "tensor/buffer.h"
#include "tensor/context.h"

namespace fathom::infer {

// Blocks are reference-counted, so that sequences with the same beginning share them. One thread at a time.
// Memory is reserved at construction and touched block by block.
class LatentPool {
 public:
  LatentPool(const model::Config& config, Mode mode, int64_t blocks);

  // Bytes of one block over all layers, MTP modules included.
  static size_t block_bytes(const model::Config& config, Mode mode);
  static int64_t blocks_for(int64_t tokens) {
    return (tokens + kernels::kBlockTokens - 1) / kernels::kBlockTokens;
  }

  int64_t blocks() const { return static_cast<int64_t>(references_.size()); }
  int64_t free_blocks() const { return static_cast<int64_t>(free_.size()); }
  std::span<const kernels::PagedLatent> layers() const { return layers_; }

  // The bytes of a block over all layers, in order.
  void copy_out(int32_t block, std::span<std::byte> bytes) const;
  void copy_in(std::span<const std::byte> bytes, int32_t block);

  // A block with one reference. REQUIRES: free_blocks() > 0. Allocates nothing.
  int32_t acquire();
  void share(int32_t block);
  // Gives a reference back; the last one frees the block. Returns whether it did.
  bool release(int32_t block);
  int32_t references(int32_t block) const { return references_[static_cast<size_t>(block)]; }

 private:
  Buffer memory_;
  std::vector<kernels::PagedLatent> layers_;
  std::vector<int32_t> references_;
  std::vector<int32_t> free_;  // the next to hand out last
};

}  // namespace fathom::infer
