// What a request says of sampling, on the command line or in JSON; what it leaves open comes from the model.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>

#include "infer/sampling_params.h"

namespace fathom::apps {

struct SamplingOptions {
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;
  double presence_penalty = 0, frequency_penalty = 0;

  // `defaults`: what the directory's generation_config.json says.
  infer::SamplingParams over(infer::SamplingParams defaults) const;
};

void add_sampling_options(CLI::App& command, SamplingOptions& options);

}  // namespace fathom::apps
