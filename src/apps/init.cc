// fathom init: a random checkpoint of any configuration of the family, in the official layout.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "apps/command.h"
#include "apps/interrupt.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "model/random_checkpoint.h"
#include "text/byte_tokenizer.h"
#include "text/tokenizer.h"

namespace fathom::apps {
namespace {

struct InitArguments {
  std::string config, dtype, tokenizer, out;
  uint64_t seed = 0;
  int threads = 0;
  bool json = false;
};

using Files = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kConfigLimit = size_t{1} << 20;
constexpr size_t kTokenizerLimit = size_t{256} << 20;

const std::map<std::string, model::CheckpointType> kTypes = {{"fp8", model::CheckpointType::fp8},
                                                             {"bf16", model::CheckpointType::bf16},
                                                             {"f32", model::CheckpointType::f32}};

// The tokenizer's files of another directory, once they are known to work with this vocabulary.
void copy_tokenizer(const std::string& directory, const model::Config& config, Files& files) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(directory).value();
  if (tokenizer.vocab_size() > config.vocab_size)
    throw Exception({"--tokenizer", directory,
                     "has " + std::to_string(tokenizer.vocab_size()) +
                         " ids and the configuration's vocab_size is " + std::to_string(config.vocab_size),
                     "raise vocab_size or name a smaller tokenizer"});
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    const std::string path = directory + "/" + name;
    if (std::error_code ignored; std::filesystem::exists(path, ignored))
      files.emplace_back(name, read_file(path, kTokenizerLimit).value());
  }
}

std::optional<int64_t> pad_id(const std::string& config_text) {
  const Json document = Json::parse(config_text);
  const auto found = document.find("pad_token_id");
  if (found == document.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

// What kind of tokenizer the directory gets: "copied", "bytes" or, when the vocabulary cannot hold one,
// "none".
std::string add_tokenizer(const InitArguments& a, const std::string& config_text, model::Config& config,
                          Files& files) {
  if (!a.tokenizer.empty()) return copy_tokenizer(a.tokenizer, config, files), "copied";
  if (config.vocab_size < text::kByteTokenizerSize) return "none";
  if (config.eos_token_ids.empty()) config.eos_token_ids = {config.bos_token_id == 1 ? 0 : 1};
  text::ByteTokenizerFiles made =
      text::byte_tokenizer_files({.vocab_size = config.vocab_size,
                                  .bos = config.bos_token_id,
                                  .eos = config.eos_token_ids[0],
                                  .pad = pad_id(config_text),
                                  .model_max_length = config.max_position_embeddings});
  files.emplace_back("tokenizer.json", std::move(made.tokenizer_json));
  files.emplace_back("tokenizer_config.json", std::move(made.tokenizer_config_json));
  return "bytes";
}

void print_result(const InitArguments& a, const std::string& tokenizer, uint64_t bytes, double seconds) {
  if (tokenizer == "none")
    std::fprintf(stderr,
                 "fathom: vocab_size is below %lld, so no tokenizer was written; text commands need init "
                 "--tokenizer DIR\n",
                 static_cast<long long>(text::kByteTokenizerSize));
  if (a.json) {
    const OrderedJson result = {{"out", a.out},   {"bytes", bytes},         {"dtype", a.dtype},
                                {"seed", a.seed}, {"tokenizer", tokenizer}, {"seconds", seconds}};
    std::printf("%s\n", json_text(result).c_str());
    return;
  }
  std::printf("%s: %s of %s weights, seed %llu, in %.1f s (%s/s)\n", a.out.c_str(),
              bytes_text(static_cast<double>(bytes)).c_str(), a.dtype.c_str(),
              static_cast<unsigned long long>(a.seed), seconds,
              bytes_text(static_cast<double>(bytes) / std::max(seconds, 1e-9)).c_str());
}

int init(const InitArguments& a) {
  const auto type = kTypes.find(a.dtype);
  if (type == kTypes.end())
    throw Exception(
        {"--dtype", {}, quotable(a.dtype) + " is no type of a checkpoint", "use fp8, bf16 or f32"});
  const std::string source = read_file(a.config, kConfigLimit).value();
  const std::string config_text = model::config_text_for(source, type->second, a.config);
  model::Config config = model::parse_config(config_text, a.config).value();
  Files files = {{"config.json", config_text}};
  const std::string tokenizer = add_tokenizer(a, config_text, config, files);
  files.emplace_back("generation_config.json", model::generation_config_text(config));

  const uint64_t bytes = model::checkpoint_bytes(config, type->second);
  const Placement placement = place_threads(a.threads);
  ThreadPool pool(placement.threads, placement.cpus);
  const std::atomic<bool>& stop = interrupted();
  Stopwatch clock;
  try {
    Progress progress("writing weights", bytes, ProgressUnit::bytes);
    model::write_random_checkpoint(config, a.out,
                                   {.seed = a.seed,
                                    .type = type->second,
                                    .files = std::move(files),
                                    .cancelled = &stop,
                                    .on_written = [&](uint64_t written) { progress.add(written); }},
                                   pool);
  } catch (const Exception&) {
    if (!stop) throw;
    std::fprintf(stderr, "fathom: interrupted; what was written is removed\n");
    return kInterruptedExitCode;
  }
  print_result(a, tokenizer, bytes, clock.seconds());
  return 0;
}

}  // namespace

void add_init(CLI::App& app, Run& run) {
  auto a = std::make_shared<InitArguments>();
  CLI::App* command =
      app.add_subcommand("init", "Write a random checkpoint of a configuration in the official layout");
  command->add_option("--config", a->config, "Hugging Face config.json of a DeepSeek-V3 family model")
      ->required();
  command->add_option("--seed", a->seed, "Seed of the weights, 0 to 2^64 - 1")
      ->required()
      ->check([](const std::string& text) {
        return std::string(text.starts_with('-') ? "must not be negative" : "");
      });
  command->add_option("--dtype", a->dtype, "fp8 (as the official files), bf16 or f32")->required();
  command->add_option("--tokenizer", a->tokenizer,
                      "Directory whose tokenizer is copied (default: one token a byte, chat format v3.1)");
  command->add_option("--out", a->out, "Directory to write; new or empty")->required();
  command->add_option("--threads", a->threads, "Threads (default: the physical cores this process may use)")
      ->check(CLI::Range(0, 1024));
  command->add_flag("--json", a->json, "Print one JSON object");
  command->footer(
      "The same seed gives the same bytes on any number of threads.\n"
      "Example: fathom init --config config.json --seed 1 --dtype fp8 --out my-model");
  command->callback([a, &run] { run = [a] { return init(*a); }; });
}

}  // namespace fathom::apps
