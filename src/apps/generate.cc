// fathom generate: one answer, or one for each line of standard input.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "apps/answer.h"
#include "apps/command.h"
#include "apps/generate_lines.h"
#include "apps/generate_request.h"
#include "apps/interrupt.h"
#include "base/json.h"
#include "base/progress.h"

namespace fathom::apps {
namespace {

struct GenerateOptions {
  EngineArguments engine{.together = 16};
  GenerateRequest request;
  std::string ids;
  std::vector<std::string> logit_bias;
  bool json = false, jsonl = false, think = false;
};

constexpr const char* kGenerateExample =
    "Examples:\n"
    "  $ fathom generate models/v3 --chat 'What is 348 + 275?' --think\n"
    "  $ fathom generate models/v3 --prompt 'def add(a, b):' --suffix 'print(add(1, 2))' --max-tokens 64\n"
    "  $ echo '{\"chat\": \"Hello\", \"seed\": 7}' | fathom generate models/v3 --jsonl --concurrency 8";

void write_text(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Exception({"standard output", {}, "cannot be written", "check the disk or the reading program"});
}

// Shows on a terminal how far the prompt is.
class PromptProgress {
 public:
  void operator()(int64_t done, int64_t total) {
    if (!bar_) bar_ = std::make_unique<Progress>("prompt", static_cast<uint64_t>(total), ProgressUnit::items);
    bar_->add(static_cast<uint64_t>(done - seen_));
    seen_ = done;
    if (done == total) bar_.reset();
  }

 private:
  std::unique_ptr<Progress> bar_;
  int64_t seen_ = 0;
};

void tell_switched_off(const infer::Engine& engine) {
  const infer::EngineStats stats = engine.stats();
  if (stats.drafts_switched_off == 0) return;
  std::fprintf(stderr,
               "fathom: MTP drafts were switched off in %lld answers: they pay from %.0f %% right ones on\n",
               static_cast<long long>(stats.drafts_switched_off), 100 * stats.drafts_needed);
}

int one_answer(const GenerateOptions& o, const LoadedModel& m) {
  infer::Request request = engine_request(m, o.request);
  infer::EngineOptions e = engine_options(o.engine, m);
  e.share_prefixes = false;
  infer::Engine engine(m.runtime.context, m.model, m.tokenizer_or_null(), e);
  const auto answer = std::make_shared<Answer>();
  const auto progress = std::make_shared<PromptProgress>();
  answer->on_prompt = [progress](int64_t done, int64_t total) { (*progress)(done, total); };
  bool writable = true;
  if (!o.json && m.tokenizer)
    answer->on_text = [&writable](const std::string& text) {
      writable = writable && std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                 std::fflush(stdout) == 0;
    };
  const infer::RequestId id = engine.submit(std::move(request), answer);
  while (!answer->done()) {
    if (interrupted() || !writable) engine.cancel(id);
    engine.step();
  }
  tell_switched_off(engine);
  if (answer->outcome().error) throw Exception(*answer->outcome().error);
  if (o.json) {
    write_text(json_text(answer->json(m.load_s)) + "\n");
  } else if (m.tokenizer) {
    write_text("\n");
  } else {
    std::string line;
    for (int32_t t : answer->ids()) line += (line.empty() ? "" : " ") + std::to_string(t);
    write_text(line + "\n");
  }
  return answer->outcome().reason == infer::FinishReason::cancelled ? kInterruptedExitCode : 0;
}

int many_answers(const GenerateOptions& o, const LoadedModel& m) {
  infer::Engine engine(m.runtime.context, m.model, m.tokenizer_or_null(), engine_options(o.engine, m));
  std::fprintf(stderr, "fathom: %s\n", cache_text(engine, o.engine, m).c_str());
  const int code = generate_lines(m, engine, o.engine.together);
  tell_switched_off(engine);
  return code;
}

int generate(GenerateOptions& o) {
  interrupted();
  if (o.jsonl && (o.request.prompt || o.request.chat || !o.ids.empty()))
    throw Exception(
        {"--jsonl", {}, "takes its requests from standard input", "leave out --prompt, --chat and --ids"});
  if (!o.ids.empty()) o.request.ids = parse_id_list(o.ids);
  if (o.think) o.request.thinking = true;
  for (const std::string& b : o.logit_bias) o.request.logit_bias.push_back(parse_logit_bias(b));
  if (!o.jsonl) o.engine.together = 1;
  const LoadedModel m(o.engine);
  if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "fathom: %s\n", m.runtime.threads_reason.c_str());
  return o.jsonl ? many_answers(o, m) : one_answer(o, m);
}

void add_request_options(CLI::App& c, GenerateOptions& o) {
  GenerateRequest& r = o.request;
  c.add_option("--prompt", r.prompt, "raw text to go on from; names of special tokens become those tokens");
  c.add_option("--suffix", r.suffix,
               "text after the gap that the answer fills; --prompt is the text before it");
  c.add_option("--chat", r.chat, "one message of a user");
  c.add_flag("--think", o.think, "let the model think before it answers --chat");
  c.add_option("--ids", o.ids, "token ids instead of text: \"5 6 7\"");
  c.add_option("--max-tokens", r.max_tokens, "longest answer")->capture_default_str();
  add_sampling_options(c, r.sampling);
  c.add_option("--logit-bias", o.logit_bias, "ID:VALUE, added to the token's logit; repeatable");
  c.add_option("--stop", r.stop, "text that ends the answer; repeatable")->allow_extra_args(false);
  c.add_option("--seed", r.seed, "the same seed gives the same answer")->capture_default_str();
  c.add_option("--logprobs", r.logprobs, "report log-probabilities, with this many alternatives (0 to 20)");
  c.add_flag("--ignore-eos", r.ignore_eos, "go on after the end of sequence");
}

}  // namespace

void add_generate(CLI::App& app, Run& run) {
  auto o = std::make_shared<GenerateOptions>();
  CLI::App* c = app.add_subcommand("generate", "Answers one prompt, or one for each line of standard input.");
  add_request_options(*c, *o);
  c->add_flag("--json", o->json, "Print one JSON object");
  c->add_flag("--jsonl", o->jsonl, "Read requests as lines of JSON, write a JSON object for each");
  c->add_option("--concurrency", o->engine.together, "requests that run at once (--jsonl)")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  add_engine_arguments(*c, o->engine);
  c->footer(kGenerateExample);
  c->callback([o, &run] { run = [o] { return generate(*o); }; });
}

}  // namespace fathom::apps
