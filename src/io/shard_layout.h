// Where each tensor of a model directory goes: shards, offsets, and the texts of headers and index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace fathom::io {

struct TensorDeclaration {
  std::string name;
  DType dtype;
  Shape shape;
};

struct Placement {
  size_t shard;
  uint64_t offset;  // in the shard's data, aligned to the element
  uint64_t bytes;
};

struct ShardPlan {
  std::string file_name;
  std::vector<size_t> tensors;  // in the order of the data
  uint64_t bytes = 0;
};

struct ShardLayout {
  std::vector<TensorDeclaration> tensors;
  std::vector<Placement> placements;  // of tensors
  std::vector<ShardPlan> shards;      // at least one
  uint64_t total_bytes = 0;

  // The first bytes of the shard's file, up to its data: length and header. Data begins at a multiple of 64
  // bytes.
  std::string file_head(size_t shard) const;
  // model.safetensors.index.json
  std::string index_text() const;
};

// Fills shards of at most `max_shard_bytes` in order of declaration (a larger tensor gets one of its own),
// then puts wider elements first inside each. REQUIRES: names are unique, every tensor's size fits 63 bits.
ShardLayout lay_out_shards(std::vector<TensorDeclaration> tensors, uint64_t max_shard_bytes);

}  // namespace fathom::io
