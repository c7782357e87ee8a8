#include "apps/model_facts.h"

#include <filesystem>
#include <future>

#include "base/clock.h"
#include "base/machine.h"
#include "infer/engine.h"
#include "io/disk.h"
#include "tensor/isa.h"
#include "text/chat_detect.h"

namespace fathom::apps {
namespace {

constexpr double kDiskSeconds = 0.1;  // long enough for some hundred pieces; opening stays under a second

struct TextFacts {
  std::optional<text::Tokenizer> tokenizer;
  std::string tokenizer_missing, chat_format, chat_unknown;
};

TextFacts gather_text(const std::string& directory) {
  TextFacts facts;
  auto tokenizer = text::Tokenizer::load(directory);
  std::error_code ignored;
  if (tokenizer) {
    facts.tokenizer = *tokenizer;
  } else if (std::filesystem::exists(directory + "/tokenizer.json", ignored)) {
    throw Exception(tokenizer.error());
  } else {
    facts.tokenizer_missing = tokenizer.error().key + " " + tokenizer.error().problem;
  }
  if (const auto format = text::chat_format_of_directory(directory))
    facts.chat_format = text::chat_format_name(*format);
  else
    facts.chat_unknown = format.error().key + " " + format.error().problem;
  return facts;
}

void count_tensors(ModelFacts& facts) {
  const io::ModelDirectory& directory = facts.model.directory;
  const auto add = [](ModelFacts::Total& total, size_t bytes) {
    ++total.count;
    total.bytes += bytes;
  };
  std::map<DType, ModelFacts::Total> by_type;
  directory.for_each([&](const io::TensorRef& t) { add(by_type[t.dtype], t.bytes); });
  for (const auto& [type, total] : by_type) facts.tensors[std::string(name_of(type))] = total;
  for (const io::UnusableTensor& t : directory.unusable()) add(facts.tensors[std::string(t.dtype)], t.bytes);
  for (const auto& [type, total] : facts.tensors) {
    facts.tensor_total.count += total.count;
    facts.tensor_total.bytes += total.bytes;
  }
  for (const io::SafetensorsFile& file : directory.files()) facts.file_bytes += file.file().size();
}

void look_at_machine(ModelFacts& facts) {
  facts.available_memory = available_memory();
  facts.beside_weights = std::min<uint64_t>(
      facts.available_memory, infer::Engine::bytes_needed(facts.model, Mode::fast, {.max_running = 1}));
  facts.residency = model::plan_residency(facts.model, facts.available_memory - facts.beside_weights);
  if (facts.residency.streams) facts.disk_rate = io::disk_read_rate(facts.model.directory, kDiskSeconds);
  for (const Isa isa : available_isas())
    facts.isas = std::string(name_of(isa)) + (facts.isas.empty() ? "" : ", ") + facts.isas;
  const Placement placement = place_threads(0);
  facts.threads = placement.threads;
  facts.threads_reason = placement.reason;
}

}  // namespace

int64_t ModelFacts::moe_layers() const {
  int64_t count = 0;
  for (int64_t l = 0; l < model.config.num_hidden_layers; ++l) count += model.config.is_moe(l) ? 1 : 0;
  return count;
}

ModelFacts gather_facts(const std::string& directory) {
  const Stopwatch clock;
  auto text = std::async(std::launch::async, [&] { return gather_text(directory); });
  ModelFacts facts{.model = model::open_model(directory)};
  facts.parameters = model::count_parameters(facts.model.config);
  facts.weights = model::weight_bytes(facts.model);
  count_tensors(facts);
  look_at_machine(facts);
  TextFacts found = text.get();
  facts.tokenizer = std::move(found.tokenizer);
  facts.tokenizer_missing = std::move(found.tokenizer_missing);
  facts.chat_format = std::move(found.chat_format);
  facts.chat_unknown = std::move(found.chat_unknown);
  facts.seconds = clock.seconds();
  return facts;
}

}  // namespace fathom::apps
