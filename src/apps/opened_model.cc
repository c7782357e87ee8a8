#include "apps/opened_model.h"

#include <algorithm>
#include <cstdio>

#include "apps/byte_size.h"
#include "base/machine.h"

namespace fathom::apps {

void add_model_arguments(CLI::App& command, ModelArguments& arguments) {
  command.add_option("model", arguments.model, "Model directory")->required();
  add_run_options(command, arguments.run);
}

// The options are checked before the files are opened: a wrong one is told at once.
OpenedModel::OpenedModel(const ModelArguments& a)
    : runtime(make_runtime(a.run)),
      model(model::open_model(a.model)),
      options{.act_quant = a.run.act_quant, .act_format = model.config.scale_format} {}

void OpenedModel::settle_in_memory(uint64_t other) {
  const uint64_t available = available_memory();
  residency = std::make_unique<model::Residency>(model, available - std::min(available, other));
  options.residency = residency.get();
  residency->warm();
  const model::ResidencyPlan& plan = residency->plan();
  if (!plan.streams) return;
  std::fprintf(stderr,
               "fathom: %s of weights, %s of memory for them: %lld experts (%.0f %%) stay, others are read "
               "as they are chosen%s\n",
               byte_size_text(static_cast<size_t>(model::weight_bytes(model).total())).c_str(),
               byte_size_text(available - std::min(available, other)).c_str(),
               static_cast<long long>(plan.experts_kept), 100 * plan.kept_share,
               plan.dense_fits ? "" : "; not even what every token needs fits");
}

}  // namespace fathom::apps
