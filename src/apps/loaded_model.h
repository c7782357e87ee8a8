// A model directory opened for answering: weights, tokenizer, chat format, defaults.
#pragma once

#include <optional>
#include <string>

#include "infer/generation_config.h"
#include "model/model.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace fathom::apps {

struct LoadedModel {
  model::Model model;
  std::optional<text::Tokenizer> tokenizer;  // absent when the directory has no tokenizer.json
  infer::GenerationConfig generation;
  std::optional<text::ChatFormat> format;  // what --format said
  double load_s = 0;

  const text::Tokenizer* tokenizer_or_null() const { return tokenizer ? &*tokenizer : nullptr; }
  // Throws Exception saying what is missing and what works without it.
  const text::Tokenizer& require_tokenizer() const;
  // What --format named, else what the directory's template tells. Throws Exception.
  text::ChatFormat require_format() const;
};

// `format`: a name, or empty. Throws Exception naming file, key and remedy.
LoadedModel load_model(const std::string& directory, const std::string& format);

}  // namespace fathom::apps
