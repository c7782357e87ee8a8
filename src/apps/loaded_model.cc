#include "apps/loaded_model.h"

#include <filesystem>

#include "base/clock.h"
#include "text/chat_detect.h"

namespace fathom::apps {

LoadedModel load_model(const std::string& directory, const std::string& format) {
  const Stopwatch clock;
  LoadedModel loaded{.model = model::open_model(directory), .tokenizer = {}, .generation = {}, .format = {}};
  const io::ModelDirectory& files = loaded.model.directory;
  std::error_code ignored;
  if (std::filesystem::exists(files.file_path("tokenizer.json"), ignored))
    loaded.tokenizer = text::Tokenizer::load(directory).value();
  loaded.generation =
      infer::generation_config_of(files.generation_config_text(), loaded.model.config.eos_token_ids,
                                  loaded.model.config.vocab_size, files.file_path("generation_config.json"))
          .value();
  if (!format.empty()) {
    auto named = text::chat_format_named(format);
    if (!named) named.error().where = "--format";
    loaded.format = named.value();
  }
  loaded.load_s = clock.seconds();
  return loaded;
}

const text::Tokenizer& LoadedModel::require_tokenizer() const {
  if (tokenizer) return *tokenizer;
  Error error = text::Tokenizer::load(model.directory.path()).error();
  error.remedy = "this directory works with --ids alone; add a tokenizer.json for text";
  throw Exception(error);
}

text::ChatFormat LoadedModel::require_format() const {
  return format ? *format : text::chat_format_of_directory(model.directory.path()).value();
}

}  // namespace fathom::apps
