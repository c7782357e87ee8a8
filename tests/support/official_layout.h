// The official 671B checkpoint's layout: every tensor's name, type, shape and file; and a sparse copy of it
// on disk.
#pragma once

#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace fathom::test {

inline constexpr int kOfficialShards = 163;

struct OfficialTensor {
  std::string name;
  DType dtype;
  Shape shape;
  int shard;  // from 1; only embedding, final norm, head and the MTP module's are known, the rest is spread
              // evenly
};

std::vector<OfficialTensor> official_layout();
std::string official_shard_name(int shard);  // model-00001-of-000163.safetensors
std::string official_config_text();          // config.json of V3, as published

// Writes config.json, generation_config.json, the index and 163 files with true headers whose 689 GB of data
// are holes. `directory` must exist.
void write_official_layout(const std::string& directory);

}  // namespace fathom::test
