// Writes a model directory in the Hugging Face layout, tensor by tensor, with bounded memory.
//
// All tensors are declared first; shards, headers and offsets follow from that. Data is then appended in any
// order of tensors and in pieces of any size. Nothing is valid before commit(): the index and the text files
// get their names last, and a writer that is destroyed without commit() removes all it wrote, and the
// directory if it made it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/shard_layout.h"

namespace fathom::io {

struct WriterOptions {
  size_t max_shard_bytes = size_t{5} << 30;      // data of a shard; a larger tensor gets a shard of its own
  const std::atomic<bool>* cancelled = nullptr;  // when true, append() and commit() fail
};

// Move-only; one thread at a time.
class ShardedWriter {
 public:
  // Creates `directory` (its parent must exist) or uses an empty one; anything else is refused. One shard is
  // model.safetensors without an index, several are model-00001-of-0000N.safetensors in the order of
  // declaration.
  static Result<ShardedWriter> create(const std::string& directory, std::vector<TensorDeclaration> tensors,
                                      WriterOptions options = {});
  ShardedWriter(ShardedWriter&&) noexcept;
  ShardedWriter& operator=(ShardedWriter&&) = delete;
  ~ShardedWriter();

  const ShardLayout& layout() const;

  // Appends to the tensor's data. REQUIRES: it is declared and has room for `bytes`. A file is open from its
  // first byte to its last, so going through the tensors roughly in order keeps few files open.
  Status append(size_t tensor, std::span<const std::byte> bytes);
  Status append(std::string_view name, std::span<const std::byte> bytes);

  // Writes a small file (config.json, tokenizer.json, ...) beside the weights.
  Status add_file(const std::string& file_name, std::string_view text);

  // Ends the directory. REQUIRES: every tensor is complete. After an Error of any method only destruction is
  // left.
  Status commit();

 private:
  struct State;
  explicit ShardedWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fathom::io
