// A model directory opened for answering: weights, tokenizer, chat format, defaults; and the engine over it.
#pragma once

#include <optional>
#include <string>

#include "apps/opened_model.h"
#include "infer/engine.h"
#include "infer/generation_config.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace fathom::apps {

// What every command that answers is told about its engine.
struct EngineArguments : ModelArguments {
  std::string format, cache_memory;
  int64_t together = 1;
  std::optional<int64_t> prefill_chunk;  // absent: 512, or more when experts come from the disk
  int mtp = 1;
};

// Adds the model's arguments, --format, --prefill-chunk, --cache-memory and --mtp.
void add_engine_arguments(CLI::App& command, EngineArguments& arguments);

struct LoadedModel : OpenedModel {
  // Throws Exception naming file, key and remedy.
  explicit LoadedModel(const EngineArguments& arguments);

  std::optional<text::Tokenizer> tokenizer;  // absent when the directory has no tokenizer.json
  infer::GenerationConfig generation;
  std::optional<text::ChatFormat> format;  // what --format said
  int64_t prefill_chunk = 512;
  double load_s = 0;

  const text::Tokenizer* tokenizer_or_null() const { return tokenizer ? &*tokenizer : nullptr; }
  // Throws Exception saying what is missing and what works without it.
  const text::Tokenizer& require_tokenizer() const;
  // What --format named, else what the directory's template tells. Throws Exception.
  text::ChatFormat require_format() const;
};

// What the engine over `model` is made with. Throws Exception naming the option.
infer::EngineOptions engine_options(const EngineArguments& arguments, const LoadedModel& model);

// "cache of 1.5 GiB for 1234 tokens (...)", for people.
std::string cache_text(const infer::Engine& engine, const EngineArguments& arguments,
                       const LoadedModel& model);

}  // namespace fathom::apps
