// A model opened from its directory. Weights stay where they are mapped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/model_directory.h"
#include "model/config.h"
#include "model/parameters.h"
#include "model/rope.h"

namespace fathom::model {

// Move-only and immutable: any number of threads and engines may use one.
struct Model {
  io::ModelDirectory directory;  // owns the mappings that `parameters` point into
  Config config;
  Parameters parameters;
  std::vector<std::vector<float>> router_bias;  // one a layer and MTP module, FP32, empty for dense layers
  RopeConstants rope;

  const Weight& mtp_embed(size_t k) const { return parameters.mtp[k].embed ? parameters.mtp[k].embed : parameters.embed; }
  const Weight& mtp_head(size_t k) const { return parameters.mtp[k].head ? parameters.mtp[k].head : parameters.head; }
};

// Opens config.json, the index and all headers, and checks every tensor's presence, dtype and shape. Reads no weights.
// A directory without any tensor of the MTP modules that its config promises has none (converted files leave them out).
// Throws Exception naming file, key and remedy.
Model open_model(const std::string& path);

}  // namespace fathom::model
