#include <cmath>
#include <cstdio>
#include <limits>

#include "apps/command.h"
#include "apps/opened_model.h"
#include "base/json.h"
#include "eval/verify.h"

namespace fathom::apps {
namespace {

struct VerifyArguments : ModelArguments {
  std::string expected;
  bool json = false;
};

OrderedJson part_json(const eval::VerifyPart& p) {
  OrderedJson out = OrderedJson::object();
  // JSON has no infinity: a difference that is not a number prints as the largest double.
  const auto number = [&](const char* name, const std::optional<double>& v) {
    if (v) out[name] = std::isfinite(*v) ? *v : std::numeric_limits<double>::max();
  };
  number("max_abs_diff", p.max_abs_diff);
  number("mean_abs_diff_over_std", p.mean_abs_diff_over_std);
  number("kl_mean", p.kl_mean);
  number("kl_median", p.kl_median);
  number("top1_agreement", p.top1_agreement);
  number("experts_agreement", p.experts_agreement);
  if (p.greedy_equal) out["greedy_equal"] = *p.greedy_equal;
  if (p.pass) out["pass"] = *p.pass;
  return out;
}

void print_json(const eval::VerifyReport& report) {
  OrderedJson parts = OrderedJson::object();
  for (const auto& [name, part] : report.parts) parts[name] = part_json(part);
  std::printf("%s\n", json_text(OrderedJson{{"pass", report.pass}, {"parts", parts}}).c_str());
}

void print_table(const eval::VerifyReport& report) {
  std::printf("%-34s %-11s %-11s %-8s %-8s %s\n", "key", "max |diff|", "KL median", "top-1", "experts", "");
  const auto cell = [](const std::optional<double>& v, const char* format, int width) {
    char text[32] = "";
    if (v) std::snprintf(text, sizeof text, format, *v);
    std::printf("%-*s ", width, text);
  };
  for (const auto& [name, p] : report.parts) {
    std::printf("%-34s ", name.c_str());
    cell(p.max_abs_diff, "%.3g", 11);
    cell(p.kl_median, "%.3g", 11);
    cell(p.top1_agreement, "%.4f", 8);
    cell(p.experts_agreement, "%.4f", 8);
    const char* equal = !p.greedy_equal ? "" : *p.greedy_equal ? "equal, " : "different, ";
    std::printf("%s%s\n", equal, !p.pass ? "not judged" : *p.pass ? "pass" : "FAIL");
  }
  std::printf("%s\n", report.pass ? "pass" : "FAIL");
}

int verify(const VerifyArguments& a) {
  OpenedModel m(a);
  m.settle_in_memory(eval::verify_bytes(m.model));
  const eval::VerifyReport report = eval::verify(m.runtime.context, m.model, a.expected, m.options);
  if (a.json)
    print_json(report);
  else
    print_table(report);
  return report.pass ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& app, Run& run) {
  auto a = std::make_shared<VerifyArguments>();
  // The command proves faithfulness, so the exact numerics are its default.
  a->run.mode = "faithful";
  CLI::App* command = app.add_subcommand("verify", "Compare this build with recorded reference vectors");
  command->add_option("--expected", a->expected, "Safetensors file of input_ids and what the model must compute")->required();
  command->add_flag("--json", a->json, "Print one JSON object");
  add_model_arguments(*command, *a);
  command->footer("Exit code 0: everything judged passes; 1: something does not.\n"
                  "Example: fathom verify DeepSeek-V3 --expected reference.safetensors --mode faithful");
  command->callback([a, &run] { run = [a] { return verify(*a); }; });
}

}  // namespace fathom::apps
