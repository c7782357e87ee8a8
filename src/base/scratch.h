// Working memory that grows to the largest request and stays: loops in their steady state allocate nothing.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace fathom {

class Scratch {
 public:
  // At least `bytes` bytes, 64-byte aligned, contents undefined; the next call may return the same memory.
  // Throws std::bad_alloc.
  std::byte* take(size_t bytes) {
    if (bytes > bytes_) {
      // What spans many small pages asks for a huge one: kernels walk it with strides that miss the TLB
      // otherwise.
      constexpr size_t kPage = 4096, kHugePage = size_t{1} << 21;
      const size_t page = bytes < kHugePage / 16 ? kPage : kHugePage;
      const size_t rounded = (bytes + page - 1) / page * page;
      memory_.reset();
      bytes_ = 0;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(page, rounded)));
      if (!memory_) throw std::bad_alloc();
      if (page == kHugePage) ::madvise(memory_.get(), rounded, MADV_HUGEPAGE);
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
