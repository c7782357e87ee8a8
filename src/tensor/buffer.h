// Owned memory: 64-byte aligned, in huge pages where the system gives them, and an arena that hands it out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tensor/mat.h"

namespace fathom {

// Move-only owner of zeroed anonymous memory; pages cost nothing until touched. Throws Exception when there is none.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Buffer();

  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

// Hands out pieces of one Buffer, each 64-byte aligned; they live until reset().
class Arena {
 public:
  explicit Arena(size_t bytes) : buffer_(bytes) {}

  template <class T>
  T* take(int64_t count) {
    return reinterpret_cast<T*>(take_bytes(static_cast<size_t>(count) * sizeof(T)));
  }
  template <class T>
  Mat<T> mat(int64_t rows, int64_t cols) {
    return {take<T>(rows * cols), rows, cols};
  }
  void reset() { used_ = 0; }
  size_t used() const { return used_; }

 private:
  std::byte* take_bytes(size_t bytes) {
    const size_t rounded = (bytes + 63) / 64 * 64;
    FATHOM_CHECK(used_ + rounded <= buffer_.bytes());
    std::byte* at = buffer_.data() + used_;
    used_ += rounded;
    return at;
  }
  Buffer buffer_;
  size_t used_ = 0;
};

}  // namespace fathom
