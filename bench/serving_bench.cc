// serving_bench ADDRESS --model NAME [--streams N] [--requests N] [--tokens N] [--prompt-words N]
//               [--temperature T] [--fields JSON] [--check 1]
// Streams answers from a running server and prints one line: tokens a second of all streams together, the
// median rate of a stream after its first token, time to the first piece and between pieces. --check 1 then
// asks the same one by one: exit code 1 if an answer differs. Errors are told and give exit code 1.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/serving_load.h"

namespace fathom::bench {
namespace {

struct Arguments {
  LoadPlan plan;
  bool check = false;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  if (argc > 1) a.plan.address = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--model") a.plan.model = value;
    if (name == "--streams") a.plan.streams = std::atoi(value.c_str());
    if (name == "--requests") a.plan.requests = std::atoi(value.c_str());
    if (name == "--tokens") a.plan.tokens = std::atoi(value.c_str());
    if (name == "--prompt-words") a.plan.prompt_words = std::atoi(value.c_str());
    if (name == "--temperature") a.plan.temperature = std::atof(value.c_str());
    if (name == "--fields") a.plan.fields = value;
    if (name == "--check") a.check = value != "0";
  }
  return a;
}

int print(const LoadPlan& plan, const LoadResult& result) {
  int failed = 0;
  int64_t tokens = 0, cached = 0;
  std::vector<double> first, gaps, rates;
  for (const Answer& answer : result.answers) {
    if (!answer.error.empty() && failed++ == 0) std::printf("error: %s\n", answer.error.c_str());
    tokens += answer.tokens;
    cached += answer.cached;
    first.push_back(answer.first);
    if (answer.tokens > 1)
      rates.push_back(static_cast<double>(answer.tokens - 1) / (answer.end - answer.first));
    gaps.insert(gaps.end(), answer.gaps.begin(), answer.gaps.end());
  }
  std::printf(
      "%d streams, %zu answers, %d errors, %lld tokens (%lld of prompts cached) in %.2f s: %.1f tokens/s; "
      "after the first token %.2f tokens/s a stream; first piece p50 %.1f ms p99 %.1f ms; between pieces p50 "
      "%.2f ms p99 %.2f ms max %.2f ms\n",
      plan.streams, result.answers.size(), failed, static_cast<long long>(tokens),
      static_cast<long long>(cached), result.seconds, static_cast<double>(tokens) / result.seconds,
      quantile(rates, 0.5), 1e3 * quantile(first, 0.5), 1e3 * quantile(first, 0.99),
      1e3 * quantile(gaps, 0.5), 1e3 * quantile(gaps, 0.99), 1e3 * quantile(gaps, 1));
  return failed;
}

int check(const LoadPlan& plan, const LoadResult& result) {
  int different = 0;
  for (size_t i = 0; i < result.answers.size(); ++i)
    if (ask_alone(plan, static_cast<int>(i)).text != result.answers[i].text) ++different;
  std::printf("%zu answers asked again alone: %d differ\n", result.answers.size(), different);
  return different;
}

int run(const Arguments& a) {
  if (a.plan.address.empty() || a.plan.model.empty()) {
    std::fprintf(stderr,
                 "serving_bench: name the server: serving_bench http://127.0.0.1:8000 --model NAME\n");
    return 2;
  }
  const LoadResult result = run_load(a.plan);
  int bad = print(a.plan, result);
  if (a.check) bad += check(a.plan, result);
  return bad == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fathom::bench

int main(int argc, char** argv) { return fathom::bench::run(fathom::bench::parse(argc, argv)); }
