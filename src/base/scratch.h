// Working memory that grows to the largest request and stays: loops in their steady state allocate nothing.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace fathom {

class Scratch {
 public:
  // At least `bytes` bytes, 64-byte aligned, contents undefined; the next call may return the same memory. Throws
  // std::bad_alloc.
  std::byte* take(size_t bytes) {
    if (bytes > bytes_) {
      constexpr size_t kPage = 4096;
      const size_t rounded = (bytes + kPage - 1) / kPage * kPage;
      memory_.reset();
      bytes_ = 0;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, rounded)));
      if (!memory_) throw std::bad_alloc();
      bytes_ = rounded;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t bytes_ = 0;
};

}  // namespace fathom
