// fathom info: what a model directory holds and what it needs; --check reads all of it.
#include <cstdio>
#include <memory>

#include "apps/command.h"
#include "apps/interrupt.h"
#include "apps/model_facts.h"
#include "base/clock.h"
#include "base/progress.h"

namespace fathom::apps {
namespace {

struct InfoArguments {
  std::string model;
  bool check = false, json = false;
};

ModelFacts::CheckResult check_all(const ModelFacts& facts, const std::atomic<bool>& stop) {
  ModelFacts::CheckResult result;
  result.bytes = facts.tensor_total.bytes;
  const Stopwatch clock;
  Progress progress("reading weights", result.bytes, ProgressUnit::bytes);
  ThreadPool pool(facts.threads);
  result.damaged =
      io::check_weights(facts.model.directory, pool,
                        {.cancelled = &stop, .on_read = [&](uint64_t bytes) { progress.add(bytes); }});
  result.seconds = clock.seconds();
  return result;
}

int info(const InfoArguments& a) {
  ModelFacts facts = gather_facts(a.model);
  if (a.check) {
    const std::atomic<bool>& stop = interrupted();
    facts.check = check_all(facts, stop);
    if (stop) {
      std::fprintf(stderr, "fathom: interrupted; not everything was read\n");
      return kInterruptedExitCode;
    }
  }
  const std::string out = a.json ? json_text(facts_json(facts)) + "\n" : facts_text(facts);
  std::fwrite(out.data(), 1, out.size(), stdout);
  if (!facts.check || facts.check->damaged.empty()) return 0;
  const io::DamagedTensor& first = facts.check->damaged.front();
  const size_t others = facts.check->damaged.size() - 1;
  throw Exception(
      {first.file, first.tensor,
       first.problem + (others > 0 ? ", and " + std::to_string(others) + " more tensors are damaged" : ""),
       "fetch the file again"});
}

}  // namespace

void add_info(CLI::App& app, Run& run) {
  auto a = std::make_shared<InfoArguments>();
  CLI::App* command =
      app.add_subcommand("info", "Tell what a model directory holds and what it needs to run here");
  command->add_option("model", a->model, "Model directory")->required();
  command->add_flag("--check", a->check,
                    "Read every weight and report NaN, infinities and what the disk does not give");
  command->add_flag("--json", a->json, "Print one JSON object");
  command->footer(
      "Exit code 2: the directory cannot be used, or --check found damage.\n"
      "Example: fathom info DeepSeek-V3 --check");
  command->callback([a, &run] { run = [a] { return info(*a); }; });
}

}  // namespace fathom::apps
