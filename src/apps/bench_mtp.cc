#include "apps/bench_mtp.h"

#include <unistd.h>

#include <cstdio>

#include "base/json.h"
#include "eval/bench_mtp.h"

namespace fathom::apps {
namespace {

constexpr int64_t kSumTokens = 160, kTextTokens = 128;
constexpr double kHot = 1.5;  // drafts are seldom right

std::vector<infer::Request> sums(const LoadedModel& m, double temperature) {
  std::vector<infer::Request> all;
  for (const auto& [a, b] : {std::pair{348, 275}, {112, 629}, {57, 934}, {405, 88}, {761, 153}, {299, 416}}) {
    const std::string question = "What is " + std::to_string(a) + " + " + std::to_string(b) + "?";
    const text::Rendered chat = text::render_user(m.require_format(), question, true);
    infer::Request r;
    r.prompt = m.require_tokenizer().encode(chat.text, chat.spans);
    r.max_tokens = kSumTokens;
    r.stop_ids = m.generation.stop_ids;
    r.sampling = {.temperature = temperature, .seed = static_cast<uint64_t>(a)};
    all.push_back(std::move(r));
  }
  return all;
}

std::vector<infer::Request> texts(const LoadedModel& m, double temperature) {
  std::vector<infer::Request> all;
  for (const char* beginning :
       {"The kernel provides", "The following example shows how to", "A small animal that",
        "In the year 1900", "This option is used when", "The package contains"}) {
    infer::Request r;
    r.prompt = m.require_tokenizer().encode(beginning, text::Special::recognised);
    r.prompt.insert(r.prompt.begin(), static_cast<int32_t>(m.model.config.bos_token_id));
    r.max_tokens = kTextTokens;
    r.sampling = {.temperature = temperature, .seed = all.size()};
    all.push_back(std::move(r));
  }
  return all;
}

void print_table(const std::vector<eval::MtpResult>& results) {
  std::printf("%-26s %10s %10s %8s %15s %12s %6s\n", "one answer at a time", "tokens/s", "with MTP", "ratio",
              "of the pairs", "right", "ended");
  for (const auto& r : results)
    std::printf("%-26s %10.1f %10.1f %7.3fx %6.3f to %5.3f %5ld of %-4ld %4ld%s\n", r.name.c_str(), r.off,
                r.on, r.ratio, r.worst, r.best, static_cast<long>(r.accepted), static_cast<long>(r.drafted),
                static_cast<long>(r.switched_off), r.same ? "" : "  ANSWERS DIFFER");
}

OrderedJson result_json(const eval::MtpResult& r) {
  return {{"name", r.name},
          {"tokens", r.tokens},
          {"tokens_per_second_off", r.off},
          {"tokens_per_second_on", r.on},
          {"ratio", r.ratio},
          {"ratio_worst", r.worst},
          {"ratio_best", r.best},
          {"drafted", r.drafted},
          {"accepted", r.accepted},
          {"switched_off", r.switched_off},
          {"same_answers", r.same}};
}

}  // namespace

int bench_mtp(const EngineArguments& a, int pairs, bool json) {
  const LoadedModel m(a);
  if (m.model.config.num_nextn_predict_layers == 0)
    throw Exception({a.model, "num_nextn_predict_layers", "is 0: there is nothing to measure",
                     "name a model with an MTP module"});
  const std::vector<eval::MtpCase> cases = {{"arithmetic, greedy", sums(m, 0)},
                                            {"arithmetic, temperature 1", sums(m, 1)},
                                            {"text, greedy", texts(m, 0)},
                                            {"text, temperature 1", texts(m, 1)},
                                            {"text, temperature 1.5", texts(m, kHot)}};
  const bool show = ::isatty(STDERR_FILENO) != 0;
  const auto results = eval::bench_mtp(m.runtime.context, m.model, m.tokenizer_or_null(),
                                       engine_options(a, m), cases, pairs, [show](const std::string& line) {
                                         if (show) std::fprintf(stderr, "%s ...\n", line.c_str());
                                       });
  bool same = true;
  for (const auto& r : results) same &= r.same;
  if (!json) return print_table(results), same ? 0 : 1;
  OrderedJson list = OrderedJson::array();
  for (const auto& r : results) list.push_back(result_json(r));
  const OrderedJson out = {{"model", a.model},
                           {"mode", a.run.mode},
                           {"isa", std::string(name_of(m.runtime.context.isa))},
                           {"threads", m.runtime.pool->threads()},
                           {"pairs", pairs},
                           {"results", list}};
  std::printf("%s\n", json_text(out).c_str());
  return same ? 0 : 1;
}

}  // namespace fathom::apps
