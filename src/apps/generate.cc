// fathom generate: one answer, or one for each line of standard input.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "apps/answer.h"
#include "apps/byte_size.h"
#include "apps/command.h"
#include "apps/generate_lines.h"
#include "apps/generate_request.h"
#include "apps/interrupt.h"
#include "apps/run_options.h"
#include "base/json.h"
#include "base/progress.h"

namespace fathom::apps {
namespace {

struct Options {
  std::string model, format, ids, cache_memory;
  GenerateRequest request;
  std::vector<std::string> logit_bias;
  bool json = false, jsonl = false, think = false;
  int mtp = 1;
  int64_t concurrency = 16, prefill_chunk = 512;
  RunOptions run;
};

constexpr const char* kExample =
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

infer::EngineOptions engine_options(const Options& o, const LoadedModel& m) {
  infer::EngineOptions e;
  e.prefill_chunk = o.prefill_chunk;
  e.mtp = o.mtp != 0;
  e.model = model_options(o.run, m.model.config);
  if (!o.cache_memory.empty()) e.cache_bytes = parse_byte_size(o.cache_memory, "--cache-memory");
  return e;
}

void tell_switched_off(const infer::Engine& engine) {
  const infer::EngineStats stats = engine.stats();
  if (stats.drafts_switched_off == 0) return;
  std::fprintf(stderr,
               "fathom: MTP drafts were switched off in %lld answers: they pay from %.0f %% right ones on\n",
               static_cast<long long>(stats.drafts_switched_off), 100 * stats.drafts_needed);
}

int one_answer(const Options& o, const Runtime& runtime, const LoadedModel& m) {
  infer::Request request = engine_request(m, o.request);
  infer::EngineOptions e = engine_options(o, m);
  e.max_running = 1;
  e.share_prefixes = false;
  infer::Engine engine(runtime.context, m.model, m.tokenizer_or_null(), e);
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

int many_answers(const Options& o, const Runtime& runtime, const LoadedModel& m) {
  infer::EngineOptions e = engine_options(o, m);
  e.max_running = o.concurrency;
  infer::Engine engine(runtime.context, m.model, m.tokenizer_or_null(), e);
  const size_t bytes = static_cast<size_t>(engine.stats().blocks) *
                       infer::LatentPool::block_bytes(m.model.config, runtime.context.mode);
  std::fprintf(stderr, "fathom: cache of %s for %lld tokens (%s)\n", byte_size_text(bytes).c_str(),
               static_cast<long long>(engine.cache_tokens()),
               o.cache_memory.empty() ? "from free memory; --cache-memory changes it" : "--cache-memory");
  const int code = generate_lines(m, engine, o.concurrency);
  tell_switched_off(engine);
  return code;
}

int generate(Options& o) {
  interrupted();
  if (o.jsonl && (o.request.prompt || o.request.chat || !o.ids.empty()))
    throw Exception(
        {"--jsonl", {}, "takes its requests from standard input", "leave out --prompt, --chat and --ids"});
  if (!o.ids.empty()) o.request.ids = parse_id_list(o.ids);
  if (o.think) o.request.thinking = true;
  for (const std::string& b : o.logit_bias) o.request.logit_bias.push_back(parse_logit_bias(b));
  const Runtime runtime = make_runtime(o.run);
  const LoadedModel m = load_model(o.model, o.format);
  if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "fathom: %s\n", runtime.threads_reason.c_str());
  return o.jsonl ? many_answers(o, runtime, m) : one_answer(o, runtime, m);
}

void add_request_options(CLI::App& c, Options& o) {
  GenerateRequest& r = o.request;
  c.add_option("--prompt", r.prompt, "raw text to go on from; names of special tokens become those tokens");
  c.add_option("--suffix", r.suffix,
               "text after the gap that the answer fills; --prompt is the text before it");
  c.add_option("--chat", r.chat, "one message of a user");
  c.add_flag("--think", o.think, "let the model think before it answers --chat");
  c.add_option("--ids", o.ids, "token ids instead of text: \"5 6 7\"");
  c.add_option("--format", o.format, "chat format, instead of what the directory's template tells");
  c.add_option("--max-tokens", r.max_tokens, "longest answer")->capture_default_str();
  c.add_option("--temperature", r.temperature, "0: the most likely token (default: generation_config.json)");
  c.add_option("--top-k", r.top_k, "draw from the K most likely tokens; 0: all");
  c.add_option("--top-p", r.top_p, "draw from the fewest tokens that reach this probability");
  c.add_option("--min-p", r.min_p, "draw from tokens with this share of the best one's probability");
  c.add_option("--repetition-penalty", r.repetition_penalty, "above 1: avoid what prompt and answer hold");
  c.add_option("--presence-penalty", r.presence_penalty, "above 0: avoid what the answer holds");
  c.add_option("--frequency-penalty", r.frequency_penalty, "above 0: the same for each time it holds it");
  c.add_option("--logit-bias", o.logit_bias, "ID:VALUE, added to the token's logit; repeatable");
  c.add_option("--stop", r.stop, "text that ends the answer; repeatable")->allow_extra_args(false);
  c.add_option("--seed", r.seed, "the same seed gives the same answer")->capture_default_str();
  c.add_option("--logprobs", r.logprobs, "report log-probabilities, with this many alternatives (0 to 20)");
  c.add_flag("--ignore-eos", r.ignore_eos, "go on after the end of sequence");
}

}  // namespace

void add_generate(CLI::App& app, Run& run) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("generate", "Answers one prompt, or one for each line of standard input.");
  c->add_option("model", o->model, "Model directory")->required();
  add_request_options(*c, *o);
  c->add_option("--mtp", o->mtp,
                "1: let the model's MTP module draft tokens, which changes speed alone; 0: do not")
      ->check(CLI::Range(0, 1))
      ->capture_default_str();
  c->add_flag("--json", o->json, "Print one JSON object");
  c->add_flag("--jsonl", o->jsonl, "Read requests as lines of JSON, write a JSON object for each");
  c->add_option("--concurrency", o->concurrency, "requests that run at once (--jsonl)")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  c->add_option("--prefill-chunk", o->prefill_chunk, "prompt tokens computed in one step")
      ->check(CLI::Range(1, 16384))
      ->capture_default_str();
  c->add_option("--cache-memory", o->cache_memory,
                "memory for the latent cache: 8G, 512M (default: from free memory)");
  add_run_options(*c, o->run);
  c->footer(kExample);
  c->callback([o, &run] { run = [o] { return generate(*o); }; });
}

}  // namespace fathom::apps
