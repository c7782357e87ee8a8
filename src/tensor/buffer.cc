#include "tensor/buffer.h"

#include <sys/mman.h>

#include <string>

#include "base/error.h"

namespace fathom {

Buffer::Buffer(size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    bytes_ = 0;
    throw Exception({{}, {}, "no memory for " + std::to_string(bytes >> 20) + " MiB",
                     "lower the context, the batch or --cache-memory"});
  }
  data_ = static_cast<std::byte*>(at);
  ::madvise(at, bytes, MADV_HUGEPAGE);
}

Buffer::~Buffer() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace fathom
