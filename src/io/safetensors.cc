#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fathom::io {
namespace {

constexpr size_t kMaxCopiedBytes = size_t{256} << 20;

}  // namespace

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  Result<MappedFile> mapped = MappedFile::open(path);
  if (!mapped) return mapped.error();
  SafetensorsFile file;
  file.file_ = std::move(*mapped);
  Result<SafetensorsHeader> header =
      parse_header({file.file_.data(), file.file_.size()}, file.file_.size(), path);
  if (!header) return header.error();
  file.header_ = std::move(*header);
  if (Status s = file.copy_misaligned(); !s) return s.error();
  return file;
}

Status SafetensorsFile::copy_misaligned() {
  size_t total = 0;
  for (const TensorInfo& t : tensors()) {
    if (t.offset % size_of(t.dtype) == 0 || t.bytes == 0) continue;
    total += t.bytes;
    if (total > kMaxCopiedBytes)
      return Error{path(), std::string(t.name), "its data lies off the alignment of its type",
                   "rewrite the file with a current safetensors library"};
    const std::byte* from = file_.data() + t.offset;
    copies_.push_back({t.offset, {from, from + t.bytes}});
  }
  std::sort(copies_.begin(), copies_.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return Ok{};
}

std::vector<std::string_view> SafetensorsFile::names() const {
  std::vector<std::string_view> names;
  names.reserve(tensors().size());
  for (const TensorInfo& t : tensors()) names.push_back(t.name);
  return names;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  const TensorInfo* info = header_.find(name);
  if (info == nullptr)
    if (const UnusableTensor* other = header_.find_unusable(name))
      throw Exception({path(), std::string(name),
                       "has dtype " + std::string(other->dtype) + ", which is not supported here",
                       "convert it to F32, BF16, F16 or F8_E4M3"});
  return info;
}

const TensorInfo& SafetensorsFile::require(std::string_view name) const {
  const TensorInfo* info = find(name);
  if (info == nullptr)
    throw Exception({path(), std::string(name), "the file has no such tensor", "name another file"});
  return *info;
}

const std::byte* SafetensorsFile::data(const TensorInfo& tensor) const {
  const size_t alignment = size_of(tensor.dtype);
  if (tensor.offset % alignment != 0 && tensor.bytes > 0) {
    const auto at = std::lower_bound(copies_.begin(), copies_.end(), tensor.offset,
                                     [](const AlignedCopy& c, size_t offset) { return c.offset < offset; });
    FATHOM_CHECK(at != copies_.end() && at->offset == tensor.offset);
    return at->bytes.data();
  }
  return file_.data() + tensor.offset;
}

}  // namespace fathom::io
