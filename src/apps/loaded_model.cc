#include "apps/loaded_model.h"

#include <algorithm>
#include <filesystem>

#include "apps/byte_size.h"
#include "base/machine.h"
#include "infer/latent_pool.h"
#include "text/chat_detect.h"

namespace fathom::apps {

void add_engine_arguments(CLI::App& c, EngineArguments& a) {
  add_model_arguments(c, a);
  c.add_option("--format", a.format, "chat format, instead of what the directory's template tells");
  c.add_option("--prefill-chunk", a.prefill_chunk,
               "prompt tokens computed in one step (default: 512; more when experts are read from the disk)")
      ->check(CLI::Range(1, 16384));
  c.add_option("--cache-memory", a.cache_memory,
               "memory for the latent cache: 8G, 512M (default: from free memory)");
  c.add_option("--mtp", a.mtp, "1: let the MTP module draft tokens, which changes speed alone; 0: do not")
      ->check(CLI::Range(0, 1))
      ->capture_default_str();
}

namespace {

// A chunk of a prompt touches nearly every expert, so each one reads the model once: as long as activations
// stay small beside the weights that they push out, longer chunks cost less. Bits do not depend on it.
int64_t chunk_that_streams(const LoadedModel& m, const EngineArguments& a) {
  constexpr int64_t kLongest = 4096, kShare = 16;
  const uint64_t available = available_memory();
  infer::EngineOptions options = engine_options(a, m);
  const int64_t usual = options.prefill_chunk;
  const auto needed = [&] { return infer::Engine::bytes_needed(m.model, m.runtime.context.mode, options); };
  const uint64_t least = needed();
  if (!model::plan_residency(m.model, available - std::min<uint64_t>(available, least)).streams) return usual;
  for (options.prefill_chunk = kLongest; options.prefill_chunk > usual; options.prefill_chunk /= 2)
    if (needed() - least <= available / kShare) return options.prefill_chunk;
  return usual;
}

}  // namespace

LoadedModel::LoadedModel(const EngineArguments& a) : OpenedModel(a) {
  const io::ModelDirectory& files = model.directory;
  std::error_code ignored;
  if (std::filesystem::exists(files.file_path("tokenizer.json"), ignored))
    tokenizer = text::Tokenizer::load(a.model).value();
  generation = infer::generation_config_of(files.generation_config_text(), model.config.eos_token_ids,
                                           model.config.vocab_size, files.file_path("generation_config.json"))
                   .value();
  if (!a.format.empty()) {
    auto named = text::chat_format_named(a.format);
    if (!named) named.error().where = "--format";
    format = named.value();
  }
  prefill_chunk = a.prefill_chunk ? *a.prefill_chunk : chunk_that_streams(*this, a);
  settle_in_memory(infer::Engine::bytes_needed(model, runtime.context.mode, engine_options(a, *this)));
  load_s = since_open.seconds();
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

infer::EngineOptions engine_options(const EngineArguments& a, const LoadedModel& m) {
  infer::EngineOptions out;
  out.max_running = a.together;
  out.prefill_chunk = m.prefill_chunk;
  out.mtp = a.mtp != 0;
  out.model = m.options;
  if (!a.cache_memory.empty()) out.cache_bytes = parse_byte_size(a.cache_memory, "--cache-memory");
  return out;
}

std::string cache_text(const infer::Engine& engine, const EngineArguments& a, const LoadedModel& m) {
  const size_t bytes = static_cast<size_t>(engine.stats().blocks) *
                       infer::LatentPool::block_bytes(m.model.config, m.runtime.context.mode);
  return "cache of " + byte_size_text(bytes) + " for " + std::to_string(engine.cache_tokens()) + " tokens (" +
         (a.cache_memory.empty() ? "from free memory; --cache-memory changes it" : "--cache-memory") + ")";
}

}  // namespace fathom::apps
