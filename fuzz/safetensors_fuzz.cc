// Headers of safetensors files and indexes of model directories, from arbitrary bytes.
//
// The first byte chooses: 0 reads the rest as a whole file, 1 as an index, anything else as a header's JSON
// in front of that many bytes of data, so that mutations reach the checks behind the length.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "io/model_directory.h"
#include "io/safetensors_header.h"

namespace {

// Whoever holds a header reads these ranges without looking again.
void check(const fathom::Result<fathom::io::SafetensorsHeader>& header, uint64_t file_size) {
  if (!header) {
    if (header.error().line().size() >= 400) std::abort();
    return;
  }
  std::string_view previous;
  for (const auto& t : header->tensors()) {
    if (t.offset > file_size || t.bytes > file_size - t.offset) std::abort();
    if (t.bytes != static_cast<uint64_t>(t.shape.elements()) * fathom::size_of(t.dtype)) std::abort();
    if (previous.data() != nullptr && t.name <= previous) std::abort();
    previous = t.name;
    if (header->find(t.name) != &t) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 1) {
    const auto index = fathom::io::parse_index(rest, "i");
    if (index)
      for (const auto& entry : index->entries)
        if (index->files.at(entry.file).find('/') != std::string::npos) std::abort();
    return 0;
  }
  std::string file = rest;
  if (data[0] > 1) {
    std::string length;
    for (size_t i = 0; i < 8; ++i) length += static_cast<char>(rest.size() >> (8 * i) & 0xff);
    file = length + rest + std::string(data[0], '\0');
  }
  check(fathom::io::parse_header({reinterpret_cast<const std::byte*>(file.data()), file.size()}, file.size(),
                                 "f"),
        file.size());
  return 0;
}
