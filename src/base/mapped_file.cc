#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace fathom {
namespace {

Error system_error(const std::string& path, const char* what, std::string remedy) {
  return {path, {}, std::string(what) + ": " + std::strerror(errno), std::move(remedy)};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  // Without O_NONBLOCK a named pipe in a hostile directory would block here for ever.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_error(path, "cannot open", "check the path and its permissions");
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Error{path, {}, "not a regular file", "name a file"};
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = static_cast<size_t>(info.st_size);
  if (file.size_ > 0) {
    void* at = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
      Error error = system_error(path, "cannot map", "raise the limit on mappings or address space");
      ::close(fd);
      return error;
    }
    file.data_ = static_cast<const std::byte*>(at);
  }
  ::close(fd);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

size_t MappedFile::resident_bytes(size_t offset, size_t length) const {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t first = offset / page * page;
  std::vector<unsigned char> present((offset + length - first + page - 1) / page);
  if (present.empty() || ::mincore(const_cast<std::byte*>(data_) + first, offset + length - first, present.data()) != 0)
    return 0;
  size_t pages = 0;
  for (unsigned char p : present) pages += p & 1;
  return pages * page;
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  if (file->size() > limit) return Error{path, {}, "larger than " + std::to_string(limit) + " bytes", "name another file"};
  return std::string(file->text());
}

Result<FileWriter> FileWriter::create(const std::string& path) {
  FileWriter writer;
  writer.path_ = path;
  writer.temporary_ = path + ".partial";
  writer.fd_ = ::open(writer.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (writer.fd_ < 0) {
    writer.temporary_.clear();
    return writer.failure("cannot create");
  }
  return writer;
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, std::string())) {}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Error FileWriter::failure(const char* what) const {
  return system_error(path_, what, "check the directory, its permissions and the free space");
}

Status FileWriter::write(const void* data, size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(fd_, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure("cannot write");
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return Ok{};
}

Status FileWriter::write_at(uint64_t offset, const void* data, size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::pwrite(fd_, at, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure("cannot write");
    at += n;
    offset += static_cast<uint64_t>(n);
    bytes -= static_cast<size_t>(n);
  }
  return Ok{};
}

Status FileWriter::commit() {
  if (::fsync(fd_) != 0) return failure("cannot write");
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0) return failure("cannot write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failure("cannot rename");
  temporary_.clear();
  return Ok{};
}

Status write_file(const std::string& path, std::string_view text) {
  Result<FileWriter> writer = FileWriter::create(path);
  if (!writer) return writer.error();
  if (Status s = writer->write(text); !s) return s;
  return writer->commit();
}

}  // namespace fathom
