// A safetensors file, mapped: tensors by name as pointers into the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"
#include "io/safetensors_header.h"

namespace fathom::io {

// Move-only owner of the mapping; everything it hands out lives as long as it (moving keeps pointers valid,
// except those to the SafetensorsFile itself). const methods may be called from any thread.
class SafetensorsFile {
 public:
  // Reads the header only. Tensors that the file stores off their element's alignment (the format allows it)
  // are copied to memory, up to 256 MiB a file; beyond that the file is refused.
  static Result<SafetensorsFile> open(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const MappedFile& file() const { return file_; }
  const SafetensorsHeader& header() const { return header_; }
  const std::vector<TensorInfo>& tensors() const { return header_.tensors(); }  // sorted by name
  std::vector<std::string_view> names() const;

  // nullptr when the file has no such tensor. Throws Exception when it has one of a type this program cannot
  // use.
  const TensorInfo* find(std::string_view name) const;
  // The same, but a missing tensor is an Exception too.
  const TensorInfo& require(std::string_view name) const;

  // `tensor.bytes` bytes, aligned to the element. REQUIRES: `tensor` is an element of tensors().
  const std::byte* data(const TensorInfo& tensor) const;
  // The data as an array. REQUIRES: T is the C++ type of tensor.dtype.
  template <class T>
  const T* data_as(const TensorInfo& tensor) const {
    FATHOM_CHECK(sizeof(T) == size_of(tensor.dtype));
    return reinterpret_cast<const T*>(data(tensor));
  }

  // Bytes of the tensor's pages that are in memory now.
  size_t resident_bytes(const TensorInfo& tensor) const {
    return file_.resident_bytes(tensor.offset, tensor.bytes);
  }

 private:
  struct AlignedCopy {
    size_t offset;  // of the tensor in the file
    std::vector<std::byte> bytes;
  };
  Status copy_misaligned();

  MappedFile file_;
  SafetensorsHeader header_;
  std::vector<AlignedCopy> copies_;  // sorted by offset; nearly always empty
};

}  // namespace fathom::io
