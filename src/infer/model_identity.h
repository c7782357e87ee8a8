// Which model, computed how: what the bytes of its latent cache depend on beside the tokens.
#pragma once

#include <string>

#include "infer/block_key.h"
#include "model/model.h"
#include "model/step.h"
#include "tensor/context.h"

namespace fathom::infer {

// Of the configuration, the weights (sizes, times of change and samples of every file), mode, backend,
// instruction set, options and the program's version. Reads a few dozen KiB of every file.
Digest model_identity(const model::Model& model, const Context& ctx, const model::Options& options);

}  // namespace fathom::infer
