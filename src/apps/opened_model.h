// A model directory opened to be computed with: who computes, the weights, how.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "apps/run_options.h"
#include "base/clock.h"
#include "model/model.h"
#include "model/residency.h"
#include "model/step.h"

namespace fathom::apps {

struct ModelArguments {
  std::string model;  // directory
  RunOptions run;
};

// Adds the directory and add_run_options(). `arguments` outlives the parse.
void add_model_arguments(CLI::App& command, ModelArguments& arguments);

// The one place where a command gets a model from. Stays where it is built: engines and contexts point into
// it.
struct OpenedModel {
  // Throws Exception naming option or file, key and remedy.
  explicit OpenedModel(const ModelArguments& arguments);
  OpenedModel(const OpenedModel&) = delete;
  OpenedModel& operator=(const OpenedModel&) = delete;

  // Decides what of the weights stays in memory when `other` bytes are taken beside them, begins to read what
  // every token touches, and says on standard error if experts are to be read from the disk. Once, before
  // anything is computed.
  void settle_in_memory(uint64_t other);

  Runtime runtime;
  Stopwatch since_open;  // from before the files were touched
  model::Model model;
  std::unique_ptr<model::Residency> residency;
  model::Options options;
};

}  // namespace fathom::apps
