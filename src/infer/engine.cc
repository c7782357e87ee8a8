#include "infer/engine.h"

#include <algorithm>

#include "base/check.h"
#include "base/machine.h"
#include "infer/cache_budget.h"

namespace fathom::infer {
namespace {

int64_t blocks_of(const model::Model& model, Mode mode, const EngineOptions& o) {
  const size_t block = LatentPool::block_bytes(model.config, mode);
  const size_t bytes =
      o.cache_bytes > 0 ? o.cache_bytes : Engine::default_cache_bytes(model, mode, o.max_running);
  if (bytes < block)
    throw Exception({"--cache-memory",
                     {},
                     std::to_string(bytes) + " bytes hold no block of the cache",
                     "give at least " + std::to_string(block)});
  // More than this many blocks no set of running requests can use.
  const int64_t most = o.max_running * LatentPool::blocks_for(model.config.max_position_embeddings) * 4;
  return std::min(static_cast<int64_t>(bytes / block), most);
}

// The most of one step.
int64_t rows_of(const EngineOptions& o) { return o.prefill_chunk + 2 * o.max_running; }

TokenBits existing_tokens(const text::Tokenizer* tokenizer, int64_t vocab) {
  TokenBits bits;
  if (tokenizer == nullptr) return bits;
  bits.resize(token_words(vocab));
  for (int64_t t = 0; t < vocab; ++t)
    if (tokenizer->has_token(static_cast<int32_t>(t)))
      bits[static_cast<size_t>(t / 64)] |= uint64_t{1} << (t % 64);
  return bits;
}

}  // namespace

const char* name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "cancelled";
    case FinishReason::error:
      return "error";
  }
  return "?";
}

Engine::Engine(const Context& ctx, const model::Model& model, const text::Tokenizer* tokenizer,
               EngineOptions options)
    : model_(model),
      tokenizer_(tokenizer),
      options_(options),
      cache_(model.config, ctx.mode, blocks_of(model, ctx.mode, options), options.share_prefixes,
             options.share_prefixes ? options.store : nullptr),
      runner_(ctx, model, options.model, rows_of(options), options.max_running),
      sampler_(model.config.vocab_size),
      governor_(options.drafts, options.max_running),
      existing_(existing_tokens(tokenizer, model.config.vocab_size)),
      table_width_(
          std::min(LatentPool::blocks_for(model.config.max_position_embeddings), cache_.pool().blocks())),
      tables_(static_cast<size_t>(options.max_running * table_width_)) {
  if (model.config.num_nextn_predict_layers == 0) options_.mtp = false;
  for (int64_t s = options.max_running; s-- > 0;) free_slots_.push_back(static_cast<int32_t>(s));
  running_.reserve(static_cast<size_t>(options.max_running));
  batch_.reserve(static_cast<size_t>(options.max_running));
  module_batch_.reserve(static_cast<size_t>(options.max_running));
  update_stats();
}

Engine::~Engine() {
  take_inbox();
  finish_all(FinishReason::cancelled, nullptr);
}

size_t Engine::default_cache_bytes(const model::Model& model, Mode mode, int64_t max_running) {
  const int64_t sequence = LatentPool::blocks_for(model.config.max_position_embeddings);
  const size_t block = LatentPool::block_bytes(model.config, mode);
  size_t weights = 0;
  for (const io::SafetensorsFile& file : model.directory.files()) weights += file.file().size();
  return cache_budget(available_memory(), weights, block * static_cast<size_t>(sequence),
                      block * static_cast<size_t>(sequence * max_running));
}

size_t Engine::bytes_needed(const model::Model& model, Mode mode, const EngineOptions& o) {
  const int64_t rows = rows_of(o);
  return static_cast<size_t>(blocks_of(model, mode, o)) * LatentPool::block_bytes(model.config, mode) +
         model::Workspace::bytes_needed(model.config, rows) +
         StepRunner::bytes_needed(model.config, rows, o.max_running);
}

void Engine::check(const Request& r) const {
  const auto bad = [](const char* key, std::string problem, std::string remedy) {
    throw Exception({"request", key, std::move(problem), std::move(remedy)});
  };
  const int64_t vocab = model_.config.vocab_size, prompt = static_cast<int64_t>(r.prompt.size());
  if (prompt == 0) bad("prompt", "has no tokens", "give a text or ids");
  for (int32_t t : r.prompt)
    if (t < 0 || t >= vocab)
      bad("ids", "token " + std::to_string(t) + " does not exist",
          "use ids from 0 to " + std::to_string(vocab - 1));
  if (prompt >= context_tokens())
    bad("prompt", "has " + std::to_string(prompt) + " tokens",
        "the context holds " + std::to_string(context_tokens()) + " with the answer: shorten it");
  if (r.max_tokens < 1) bad("max_tokens", "is below 1", "use 1 or more");
  if (r.logprobs > 20) bad("logprobs", "is above 20", "use 0 to 20");
  if (!r.stop.empty() && tokenizer_ == nullptr) bad("stop", "needs a tokenizer", "leave it out");
  if (const Status s = check_sampling(r.sampling, vocab, "request"); !s) throw Exception(s.error());
  const int64_t total = std::min(prompt + std::min(r.max_tokens, context_tokens()), context_tokens());
  if (total > cache_tokens())
    bad("max_tokens", "prompt and answer of " + std::to_string(total) + " tokens exceed the cache",
        "it holds " + std::to_string(cache_tokens()) + ": ask for fewer or raise --cache-memory");
}

RequestId Engine::submit(Request request, std::shared_ptr<RequestListener> listener) {
  check(request);
  auto s = std::make_unique<Sequence>();
  const int64_t prompt = static_cast<int64_t>(request.prompt.size());
  s->limit = std::min(prompt + std::min(request.max_tokens, context_tokens()), context_tokens());
  s->tokens.reserve(static_cast<size_t>(s->limit));
  s->tokens = request.prompt;
  s->text.emplace(tokenizer_, request.stop);
  if (request.sampling.has_penalties())
    s->history = TokenHistory(model_.config.vocab_size, request.prompt, s->limit - prompt);
  s->usage.prompt_tokens = prompt;
  s->request = std::move(request);
  s->listener = std::move(listener);
  const std::lock_guard lock(mutex_);
  const RequestId id = s->id = next_id_++;
  inbox_.push_back(std::move(s));
  wake_.notify_one();
  return id;
}

void Engine::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  cancels_.push_back(id);
  wake_.notify_one();
}

EngineStats Engine::stats() const {
  const std::lock_guard lock(mutex_);
  EngineStats s = stats_;
  s.waiting += static_cast<int64_t>(inbox_.size());
  return s;
}

void Engine::run() {
  try {
    while (true) {
      const bool worked = step();
      std::unique_lock lock(mutex_);
      if (!worked) wake_.wait(lock, [this] { return stopping_ || !inbox_.empty() || !cancels_.empty(); });
      if (stopping_) return;
    }
  } catch (const std::exception& e) {
    take_inbox();
    const Error error{"engine", {}, quotable(e.what(), 200), "this is a bug of the program"};
    finish_all(FinishReason::error, &error);
    throw;
  }
}

void Engine::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
}

void Engine::take_inbox() {
  const std::lock_guard lock(mutex_);
  for (Owned& s : inbox_) waiting_.push_back(std::move(s));
  inbox_.clear();
  cancels_now_.clear();
  std::swap(cancels_now_, cancels_);
}

void Engine::finish_cancelled() {
  for (RequestId id : cancels_now_) {
    const auto is_it = [id](const Owned& s) { return s->id == id; };
    if (const auto at = std::ranges::find_if(running_, is_it); at != running_.end())
      finish(**at, FinishReason::cancelled);
    const auto at = std::ranges::find_if(waiting_, is_it);
    if (at == waiting_.end()) continue;
    finish(**at, FinishReason::cancelled);
    waiting_.erase(at);
  }
  remove_finished();
}

void Engine::finish_all(FinishReason reason, const Error* error) {
  for (Owned& s : running_) finish(*s, reason, error);
  for (Owned& s : waiting_) finish(*s, reason, error);
  waiting_.clear();
  remove_finished();
}

void Engine::update_stats() {
  totals_.running = static_cast<int64_t>(running_.size());
  totals_.waiting = static_cast<int64_t>(waiting_.size());
  totals_.blocks = cache_.pool().blocks();
  totals_.blocks_in_use = cache_.blocks_in_use();
  totals_.blocks_remembered = cache_.blocks_remembered();
  totals_.drafts_switched_off = governor_.switched_off();
  totals_.drafts_needed = governor_.needed(1);
  const std::lock_guard lock(mutex_);
  stats_ = totals_;
}

}  // namespace fathom::infer
