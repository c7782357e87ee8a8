#include "base/direct_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace fathom {

Result<DirectFile> DirectFile::open(const std::string& path) {
  DirectFile file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_DIRECT);
  file.direct_ = file.fd_ >= 0;
  if (!file.direct_) file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd_ < 0)
    return Error{
        path, {}, std::string("cannot open: ") + std::strerror(errno), "check the path and its permissions"};
  struct stat info {};
  if (::fstat(file.fd_, &info) != 0 || !S_ISREG(info.st_mode))
    return Error{path, {}, "not a regular file", "name a file"};
  file.size_ = static_cast<uint64_t>(info.st_size);
  return file;
}

DirectFile::DirectFile(DirectFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      direct_(other.direct_),
      size_(other.size_),
      path_(std::move(other.path_)) {}

DirectFile& DirectFile::operator=(DirectFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(direct_, other.direct_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

DirectFile::~DirectFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status DirectFile::read(uint64_t offset, size_t bytes, std::byte* to) const {
  FATHOM_CHECK(offset % kAlignment == 0 && bytes % kAlignment == 0 &&
               reinterpret_cast<uintptr_t>(to) % kAlignment == 0);
  FATHOM_CHECK(offset < size_);
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(bytes, size_ - offset));
  size_t done = 0;
  while (done < wanted) {
    // A read that came back short goes on from a whole block.
    const size_t from = done / kAlignment * kAlignment;
    const ssize_t n = ::pread(fd_, to + from, bytes - from, static_cast<off_t>(offset + from));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{path_, {}, std::string("cannot read: ") + std::strerror(errno), "check the disk"};
    if (from + static_cast<size_t>(n) <= done)
      return Error{path_, {}, "has become shorter while it was read", "fetch the file again"};
    done = from + static_cast<size_t>(n);
  }
  if (!direct_)
    (void)::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
  return Ok{};
}

}  // namespace fathom
