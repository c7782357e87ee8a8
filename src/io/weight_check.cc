#include "io/weight_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace fathom::io {
namespace {

constexpr size_t kChunkBytes = size_t{4} << 20;

// Whether a value cannot be a weight or scale.
bool is_bad(uint8_t e4m3_code) { return (e4m3_code & 0x7F) == 0x7F; }
bool is_bad_bf16(uint16_t bits) { return (bits & 0x7F80) == 0x7F80; }
bool is_bad_f16(uint16_t bits) { return (bits & 0x7C00) == 0x7C00; }
bool is_bad_f32(uint32_t bits) { return (bits & 0x7F800000) == 0x7F800000; }

// In pieces of fixed length, which compilers turn into vector code.
template <class Word, class Bad>
int64_t count_bad(const std::byte* data, size_t bytes, Bad bad) {
  constexpr size_t kAtOnce = 1024;
  const size_t count = bytes / sizeof(Word);
  Word piece[kAtOnce];
  int64_t found = 0;
  for (size_t at = 0; at < count; at += kAtOnce) {
    const size_t taken = std::min(kAtOnce, count - at);
    std::memset(piece, 0, sizeof piece);
    std::memcpy(piece, data + at * sizeof(Word), taken * sizeof(Word));
    Word any = 0;
    for (size_t i = 0; i < kAtOnce; ++i) any |= static_cast<Word>(bad(piece[i]) ? 1 : 0);
    if (any != 0) found += std::count_if(piece, piece + taken, bad);
  }
  return found;
}

int64_t count_bad(DType dtype, const std::byte* data, size_t bytes) {
  switch (dtype) {
    case DType::e4m3:
      return count_bad<uint8_t>(data, bytes, is_bad);
    case DType::bf16:
      return count_bad<uint16_t>(data, bytes, is_bad_bf16);
    case DType::f16:
      return count_bad<uint16_t>(data, bytes, is_bad_f16);
    case DType::f32:
      return count_bad<uint32_t>(data, bytes, is_bad_f32);
    case DType::i32:
    case DType::i64:
      return 0;
  }
  return 0;
}

// The file that a thread reads at the moment.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { close(); }

  // Fills `out` from the file; an empty text, or why it cannot.
  std::string read(const SafetensorsFile& file, size_t offset, std::byte* out, size_t bytes) {
    if (file_ != &file) {
      close();
      fd_ = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
      if (fd_ < 0) return reason();
      file_ = &file;
    }
    while (bytes > 0) {
      const ssize_t n = ::pread(fd_, out, bytes, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return reason();
      if (n == 0) return "cannot be read: the file ends before it";
      out += n, offset += static_cast<size_t>(n), bytes -= static_cast<size_t>(n);
    }
    return {};
  }

 private:
  static std::string reason() { return std::string("cannot be read: ") + std::strerror(errno); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    file_ = nullptr;
  }
  const SafetensorsFile* file_ = nullptr;
  int fd_ = -1;
};

struct Chunk {
  size_t tensor;  // into the sorted list
  size_t begin, bytes;
};

std::vector<TensorRef> in_order_of_files(const ModelDirectory& directory) {
  std::vector<TensorRef> tensors;
  tensors.reserve(directory.tensor_count());
  directory.for_each([&](const TensorRef& t) { tensors.push_back(t); });
  std::sort(tensors.begin(), tensors.end(), [](const TensorRef& a, const TensorRef& b) {
    return a.file != b.file ? a.path() < b.path() : a.info->offset < b.info->offset;
  });
  return tensors;
}

std::vector<Chunk> cut(const std::vector<TensorRef>& tensors) {
  std::vector<Chunk> chunks;
  for (size_t i = 0; i < tensors.size(); ++i)
    for (size_t begin = 0; begin < tensors[i].bytes; begin += kChunkBytes)
      chunks.push_back({i, begin, std::min(kChunkBytes, tensors[i].bytes - begin)});
  return chunks;
}

struct Finding {
  int64_t bad = 0;
  std::string unreadable;

  std::string text() const {
    if (!unreadable.empty()) return unreadable;
    return std::to_string(bad) + (bad == 1 ? " value is" : " values are") + " NaN or infinite";
  }
};

}  // namespace

std::vector<DamagedTensor> check_weights(const ModelDirectory& directory, ThreadPool& pool,
                                         const WeightCheckOptions& options) {
  const std::vector<TensorRef> tensors = in_order_of_files(directory);
  const std::vector<Chunk> chunks = cut(tensors);
  std::vector<Finding> findings(tensors.size());
  std::mutex mutex;  // of findings
  std::vector<OpenFile> files(static_cast<size_t>(pool.threads()));
  pool.run(static_cast<int64_t>(chunks.size()), [&](int64_t c, int thread) {
    if (options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed)) return;
    const Chunk& chunk = chunks[static_cast<size_t>(c)];
    const TensorRef& tensor = tensors[chunk.tensor];
    std::byte* data = pool.scratch(thread, kChunkBytes);
    std::string unreadable = files[static_cast<size_t>(thread)].read(
        *tensor.file, tensor.info->offset + chunk.begin, data, chunk.bytes);
    const int64_t bad = unreadable.empty() ? count_bad(tensor.dtype, data, chunk.bytes) : 0;
    if (bad > 0 || !unreadable.empty()) {
      const std::lock_guard lock(mutex);
      findings[chunk.tensor].bad += bad;
      if (!unreadable.empty()) findings[chunk.tensor].unreadable = std::move(unreadable);
    }
    if (options.on_read) options.on_read(chunk.bytes);
  });
  std::vector<DamagedTensor> damaged;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (findings[i].bad > 0 || !findings[i].unreadable.empty())
      damaged.push_back({tensors[i].path(), std::string(tensors[i].name()), findings[i].text()});
  return damaged;
}

}  // namespace fathom::io
