// A model directory in the Hugging Face layout: config.json, weights in one file or in shards with an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/safetensors.h"

namespace fathom::io {

// A tensor's bytes in the mapping of its file. Lives as long as the ModelDirectory.
struct TensorRef {
  const std::byte* data;
  DType dtype;
  Shape shape;
  size_t bytes;
  const TensorInfo* info;
  const SafetensorsFile* file;

  const std::string& path() const { return file->path(); }
  std::string_view name() const { return info->name; }
  size_t resident_bytes() const { return file->resident_bytes(*info); }
};

// model.safetensors.index.json: which file holds which tensor.
struct WeightIndex {
  struct Entry {
    std::string_view name;
    uint32_t file;  // into files
    static constexpr uint32_t kUnbound = UINT32_MAX, kUnusable = UINT32_MAX - 1;
    uint32_t tensor = kUnbound;  // into the file's tensors()
  };
  std::vector<Entry> entries;      // sorted by name, names unique
  std::vector<std::string> files;  // plain file names ending in .safetensors, in order of appearance
  std::vector<char> text;          // what the names point into
};
// File names are checked to stay inside the directory; metadata is ignored.
Result<WeightIndex> parse_index(std::string_view json, const std::string& where);

// Move-only. const methods may be called from any thread.
class ModelDirectory {
 public:
  // Reads config.json, the index and all headers (on `threads` threads); maps the weights without touching
  // them. Errors: missing or unreadable files, index entries that leave the directory, shards that are
  // missing, lack a tensor which the index puts there, or hold one that the index puts elsewhere. Tensors
  // that the index does not list are ignored, as transformers does.
  static Result<ModelDirectory> open(const std::string& path, int threads = 2);

  const std::string& path() const { return path_; }
  std::string file_path(std::string_view file_name) const;  // of a file in the directory
  const std::string& config_text() const { return config_text_; }
  const std::optional<std::string>& generation_config_text() const { return generation_config_text_; }

  size_t tensor_count() const { return index_.entries.size(); }
  const std::vector<SafetensorsFile>& files() const { return files_; }

  // nullopt when there is no such tensor. Throws Exception when it has a type this program cannot use.
  std::optional<TensorRef> lookup(std::string_view name) const;
  // The same, but a missing tensor is an Exception too.
  TensorRef require(std::string_view name) const;
  // All tensors of usable type, in order of their names.
  void for_each(const std::function<void(const TensorRef&)>& visit) const;
  // Names and types of the others.
  std::vector<UnusableTensor> unusable() const;

 private:
  TensorRef reference(const WeightIndex::Entry& entry) const;
  Status read_index();
  Status open_files(int threads);
  Status bind();

  std::string path_, config_text_;
  std::optional<std::string> generation_config_text_;
  WeightIndex index_;
  std::vector<SafetensorsFile> files_;  // as index_.files
};

}  // namespace fathom::io
