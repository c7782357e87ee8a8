// What the disk below a model gives, and what was taken of it.
#pragma once

#include <cstdint>
#include <optional>

#include "io/model_directory.h"

namespace fathom::io {

// Bytes a second at which the weight files can be read past the page cache, in pieces of a megabyte at
// scattered places, eight at a time; measured for about `seconds`. nullopt when the disk fails, has no direct
// reading, or the files are smaller than a piece.
std::optional<double> disk_read_rate(const ModelDirectory& directory, double seconds);

// Bytes that this process has had read from disks since it started, page cache misses included; 0 when the
// system does not say.
uint64_t process_disk_bytes();

}  // namespace fathom::io
