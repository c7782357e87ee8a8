// A file read past the page cache: large pieces at the disk's own rate, leaving other pages in memory alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace fathom {

// Move-only. read() may be called from any thread.
class DirectFile {
 public:
  // What offsets, lengths and memory are multiples of.
  static constexpr size_t kAlignment = 4096;
  static size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  // File systems that know no direct reading give an ordinary file whose pages are dropped after each read.
  static Result<DirectFile> open(const std::string& path);
  DirectFile(DirectFile&& other) noexcept;
  DirectFile& operator=(DirectFile&& other) noexcept;
  ~DirectFile();

  const std::string& path() const { return path_; }
  bool is_direct() const { return direct_; }
  uint64_t size() const { return size_; }

  // Reads [offset, offset + bytes) to `to`; beyond the file's end nothing is written. An Error when the disk
  // fails or the file has become shorter. REQUIRES: all three are multiples of kAlignment, offset < size().
  Status read(uint64_t offset, size_t bytes, std::byte* to) const;

 private:
  DirectFile() = default;
  int fd_ = -1;
  bool direct_ = false;
  uint64_t size_ = 0;
  std::string path_;
};

}  // namespace fathom
