#include "io/shard_layout.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "io/safetensors_header.h"

namespace fathom::io {
namespace {

constexpr size_t kDataAlignment = 64;  // a cache line

uint64_t bytes_of(const TensorDeclaration& t) {
  uint64_t bytes = size_of(t.dtype);
  for (int axis = 0; axis < t.shape.rank(); ++axis)
    FATHOM_CHECK(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(t.shape[axis]), &bytes));
  FATHOM_CHECK(bytes <= static_cast<uint64_t>(INT64_MAX));
  return bytes;
}

std::string json_string(const std::string& text) { return json_text(Json(text)); }

std::vector<size_t> by_name(const std::vector<TensorDeclaration>& tensors) {
  std::vector<size_t> order(tensors.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return tensors[a].name < tensors[b].name; });
  return order;
}

}  // namespace

ShardLayout lay_out_shards(std::vector<TensorDeclaration> tensors, uint64_t max_shard_bytes) {
  ShardLayout layout;
  layout.tensors = std::move(tensors);
  layout.placements.reserve(layout.tensors.size());
  layout.shards.emplace_back();
  for (size_t i = 0; i < layout.tensors.size(); ++i) {
    const uint64_t bytes = bytes_of(layout.tensors[i]);
    if (!layout.shards.back().tensors.empty() && layout.shards.back().bytes + bytes > max_shard_bytes)
      layout.shards.emplace_back();
    layout.placements.push_back({layout.shards.size() - 1, 0, bytes});
    layout.shards.back().tensors.push_back(i);
    layout.shards.back().bytes += bytes;
    layout.total_bytes += bytes;
  }
  for (size_t s = 0; s < layout.shards.size(); ++s) {
    ShardPlan& shard = layout.shards[s];
    std::stable_sort(shard.tensors.begin(), shard.tensors.end(), [&](size_t a, size_t b) {
      return size_of(layout.tensors[a].dtype) > size_of(layout.tensors[b].dtype);
    });
    uint64_t at = 0;
    for (size_t i : shard.tensors) {
      layout.placements[i].offset = at;
      at += layout.placements[i].bytes;
    }
    char name[64] = "model.safetensors";
    if (layout.shards.size() > 1)
      std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", s + 1, layout.shards.size());
    shard.file_name = name;
  }
  return layout;
}

std::string ShardLayout::file_head(size_t shard) const {
  std::string text = R"({"__metadata__":{"format":"pt"})";
  for (size_t i : shards[shard].tensors) {
    const TensorDeclaration& t = tensors[i];
    text += "," + json_string(t.name) + R"(:{"dtype":")" + std::string(name_of(t.dtype)) + R"(","shape":[)";
    for (int axis = 0; axis < t.shape.rank(); ++axis)
      text += (axis > 0 ? "," : "") + std::to_string(t.shape[axis]);
    text += R"(],"data_offsets":[)" + std::to_string(placements[i].offset) + "," +
            std::to_string(placements[i].offset + placements[i].bytes) + "]}";
  }
  text += "}";
  while ((8 + text.size()) % kDataAlignment != 0) text += ' ';
  FATHOM_CHECK(text.size() <= kMaxHeaderBytes);
  std::string head;
  for (size_t i = 0; i < 8; ++i) head += static_cast<char>(text.size() >> (8 * i) & 0xff);
  return head + text;
}

std::string ShardLayout::index_text() const {
  std::string text = "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total_bytes) +
                     "\n  },\n  \"weight_map\": {";
  const char* separator = "\n    ";
  for (size_t i : by_name(tensors)) {
    text +=
        separator + json_string(tensors[i].name) + ": " + json_string(shards[placements[i].shard].file_name);
    separator = ",\n    ";
  }
  return text + "\n  }\n}\n";
}

}  // namespace fathom::io
