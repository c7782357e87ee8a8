#include "apps/opened_model.h"

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

}  // namespace fathom::apps
