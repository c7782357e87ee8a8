// The header of a safetensors file, parsed and checked: which tensors there are and where their bytes lie.
//
// A file is an 8-byte little-endian length N, N bytes of JSON {name: {dtype, shape, data_offsets}} and the
// data, which the tensors cover without gap or overlap. The bytes are hostile: every length and offset is
// checked here, so that whoever holds a TensorInfo may read its range without looking again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace fathom::io {

inline constexpr size_t kMaxHeaderBytes = 100'000'000;  // the limit of the format's reference implementation

struct TensorInfo {
  std::string_view name;  // lives as long as its header
  DType dtype;
  Shape shape;
  size_t offset;  // from the start of the file
  size_t bytes;   // elements * size_of(dtype)
};

// A tensor of a type that the format knows and this program cannot use (U8, F64, F8_E5M2, ...).
struct UnusableTensor {
  std::string_view name;
  std::string_view dtype;
  size_t bytes;
};

// Move-only: the names point into text_.
class SafetensorsHeader {
 public:
  SafetensorsHeader() = default;
  SafetensorsHeader(SafetensorsHeader&&) = default;
  SafetensorsHeader& operator=(SafetensorsHeader&&) = default;

  const std::vector<TensorInfo>& tensors() const { return tensors_; }        // sorted by name
  const std::vector<UnusableTensor>& unusable() const { return unusable_; }  // sorted by name
  const TensorInfo* find(std::string_view name) const;                       // nullptr: no such tensor
  const UnusableTensor* find_unusable(std::string_view name) const;

 private:
  friend class HeaderParser;
  std::vector<TensorInfo> tensors_;
  std::vector<UnusableTensor> unusable_;
  std::vector<char> text_;
};

// Parses the first bytes of a file: `head` holds the length, the header and perhaps more, `file_size` is what
// the whole file has. `where` names the file in errors. Memory: a small multiple of the header's length.
Result<SafetensorsHeader> parse_header(std::span<const std::byte> head, uint64_t file_size,
                                       const std::string& where);

}  // namespace fathom::io
