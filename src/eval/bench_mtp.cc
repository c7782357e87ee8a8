#include "eval/bench_mtp.h"

#include <algorithm>
#include <memory>

#include "eval/median.h"

namespace fathom::eval {
namespace {

struct Listener final : infer::RequestListener {
  std::vector<int32_t> ids;
  infer::Outcome outcome;
  bool done = false;

  void on_token(const infer::TokenEvent& e) override { ids.push_back(e.token); }
  void on_finish(const infer::Outcome& o) override {
    outcome = o;
    outcome.text = {};
    done = true;
  }
};

struct Run {
  int64_t tokens = 0, drafted = 0, accepted = 0, switched_off = 0;
  double seconds = 0;
  std::vector<std::vector<int32_t>> answers;

  double rate() const { return static_cast<double>(tokens) / std::max(seconds, 1e-9); }
};

Run answer_all(infer::Engine& engine, const std::vector<infer::Request>& requests) {
  Run run;
  for (const infer::Request& r : requests) {
    const auto listener = std::make_shared<Listener>();
    engine.submit(r, listener);
    while (!listener->done) engine.step();
    if (listener->outcome.error) throw Exception(*listener->outcome.error);
    const infer::Usage& u = listener->outcome.usage;
    // The first token belongs to the prompt's time.
    run.tokens += std::max<int64_t>(u.completion_tokens - 1, 0);
    run.seconds += listener->outcome.decode_s;
    run.drafted += u.drafted;
    run.accepted += u.accepted;
    run.answers.push_back(listener->ids);
  }
  run.switched_off = engine.stats().drafts_switched_off;
  return run;
}

}  // namespace

std::vector<MtpResult> bench_mtp(const Context& ctx, const model::Model& model,
                                 const text::Tokenizer* tokenizer, const infer::EngineOptions& options,
                                 const std::vector<MtpCase>& cases, int pairs,
                                 const std::function<void(const std::string&)>& progress) {
  const auto run = [&](const MtpCase& c, bool mtp) {
    infer::EngineOptions o = options;
    o.max_running = 1;
    o.share_prefixes = false;
    o.mtp = mtp;
    infer::Engine engine(ctx, model, tokenizer, o);
    return answer_all(engine, c.requests);
  };
  std::vector<MtpResult> results;
  for (const MtpCase& c : cases) {
    progress(c.name);
    MtpResult result{.name = c.name};
    const Run first = run(c, false);  // pages in
    std::vector<double> on, off, ratio;
    for (int p = 0; p < pairs; ++p) {
      Run runs[2];
      for (const bool mtp : {p % 2 == 0, p % 2 != 0}) runs[mtp] = run(c, mtp);
      for (const Run& r : runs) result.same &= r.answers == first.answers;
      off.push_back(runs[0].rate());
      on.push_back(runs[1].rate());
      ratio.push_back(on.back() / off.back());
      result.tokens = runs[1].tokens;
      result.drafted = runs[1].drafted;
      result.accepted = runs[1].accepted;
      result.switched_off = runs[1].switched_off;
    }
    result.worst = *std::ranges::min_element(ratio);
    result.best = *std::ranges::max_element(ratio);
    result.on = median(on);
    result.off = median(off);
    result.ratio = median(ratio);
    results.push_back(result);
  }
  return results;
}

}  // namespace fathom::eval
