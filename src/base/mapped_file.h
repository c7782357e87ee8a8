// A file mapped read-only, and files written so that nothing half-written is left behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fathom {

// Move-only owner of a read-only shared mapping. const methods may be called from any thread.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::string& path() const { return path_; }

  // Bytes of the range that are in memory now (mincore); whole pages.
  size_t resident_bytes(size_t offset, size_t length) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::string path_;
};

Result<std::string> read_file(const std::string& path, size_t limit = size_t{1} << 30);

// Writes a file through a temporary name beside it; commit() makes it appear, the destructor removes what was
// not committed. Every failure, a full disk included, is an Error.
class FileWriter {
 public:
  static Result<FileWriter> create(const std::string& path);
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();

  Status write(const void* data, size_t bytes);
  Status write(std::string_view text) { return write(text.data(), text.size()); }
  // Writes at a place of its own; does not move where write() goes on.
  Status write_at(uint64_t offset, const void* data, size_t bytes);
  Status commit();

 private:
  FileWriter() = default;
  Error failure(const char* what) const;
  int fd_ = -1;
  std::string path_, temporary_;
};

Status write_file(const std::string& path, std::string_view text);

}  // namespace fathom
