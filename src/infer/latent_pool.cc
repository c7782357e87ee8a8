#include "infer/latent_pool.h"

#include <cstring>

#include "base/check.h"

namespace fathom::infer {
namespace {

DType cache_dtype(Mode mode) { return mode == Mode::fast ? DType::bf16 : DType::f32; }

}  // namespace

size_t LatentPool::block_bytes(const model::Config& c, Mode mode) {
  const int64_t elements = c.all_layers() * kernels::kBlockTokens * c.latent_width();
  return static_cast<size_t>(elements) * size_of(cache_dtype(mode));
}

LatentPool::LatentPool(const model::Config& c, Mode mode, int64_t blocks)
    : memory_(static_cast<size_t>(blocks) * block_bytes(c, mode)), references_(static_cast<size_t>(blocks)) {
  const size_t slab = memory_.bytes() / static_cast<size_t>(c.all_layers());
  for (int64_t l = 0; l < c.all_layers(); ++l)
    layers_.push_back({.data = memory_.data() + static_cast<size_t>(l) * slab,
                       .dtype = cache_dtype(mode),
                       .blocks = blocks,
                       .latent = c.kv_lora_rank,
                       .rope = c.qk_rope_head_dim});
  free_.reserve(static_cast<size_t>(blocks));
  for (int64_t b = blocks; b-- > 0;) free_.push_back(static_cast<int32_t>(b));
}

void LatentPool::copy_out(int32_t block, std::span<std::byte> bytes) const {
  size_t at = 0;
  for (const kernels::PagedLatent& layer : layers_) {
    FATHOM_CHECK(at + layer.block_bytes() <= bytes.size());
    std::memcpy(bytes.data() + at, layer.entry(block, 0), layer.block_bytes());
    at += layer.block_bytes();
  }
}

void LatentPool::copy_in(std::span<const std::byte> bytes, int32_t block) {
  size_t at = 0;
  for (const kernels::PagedLatent& layer : layers_) {
    FATHOM_CHECK(at + layer.block_bytes() <= bytes.size());
    std::memcpy(layer.entry(block, 0), bytes.data() + at, layer.block_bytes());
    at += layer.block_bytes();
  }
}

int32_t LatentPool::acquire() {
  FATHOM_CHECK(!free_.empty());
  const int32_t block = free_.back();
  free_.pop_back();
  references_[static_cast<size_t>(block)] = 1;
  return block;
}

void LatentPool::share(int32_t block) {
  FATHOM_CHECK(references(block) > 0);
  ++references_[static_cast<size_t>(block)];
}

bool LatentPool::release(int32_t block) {
  FATHOM_CHECK(references(block) > 0);
  if (--references_[static_cast<size_t>(block)] > 0) return false;
  free_.push_back(block);
  return true;
}

}  // namespace fathom::infer
