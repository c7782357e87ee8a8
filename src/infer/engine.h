// The engine: many requests over one model, joined and left between steps.
//
// A step computes one chunk of prompts and the next token of every answer together. What a request gets is a
// function of the model, the mode, the instruction set and the request alone: not of other requests, chunks,
// threads, drafts, or what the cache remembers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "infer/block_store.h"
#include "infer/draft_governor.h"
#include "infer/request.h"
#include "infer/sampler.h"
#include "infer/sequence.h"
#include "infer/step_runner.h"

namespace fathom::infer {

struct EngineOptions {
  int64_t max_running = 16;     // requests in one step
  int64_t prefill_chunk = 512;  // prompt tokens in one step
  size_t cache_bytes = 0;       // 0: default_cache_bytes()
  bool share_prefixes = true;
  BlockStore* store = nullptr;  // beginnings on disk; outlives the engine
  bool mtp = true;  // draft with the model's first MTP module, if it has one; further ones are not used
  DraftPolicy drafts = DraftPolicy::while_faster;
  model::Options model;
};

struct EngineStats {
  int64_t running = 0, waiting = 0, steps = 0;
  int64_t blocks = 0, blocks_in_use = 0, blocks_remembered = 0;  // of kernels::kBlockTokens tokens
  int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, drafted = 0, accepted = 0;
  int64_t drafts_switched_off = 0;  // answers whose drafts cost more than they brought
  double drafts_needed = 0;  // share of right drafts that would pay with one answer at a time; 0: not known
};

using RequestId = uint64_t;

class Engine {
 public:
  // Of what it gets, the context's pool, the model and the tokenizer outlive it. `tokenizer` may be null: no
  // text, no stop strings. Throws Exception when the cache cannot hold a single block.
  Engine(const Context& ctx, const model::Model& model, const text::Tokenizer* tokenizer,
         EngineOptions options);
  // Requests that are not finished get FinishReason::cancelled.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // From any thread. Throws Exception for a request that can never run, naming the field in Error::key.
  RequestId submit(Request request, std::shared_ptr<RequestListener> listener);
  // From any thread; of a request that is finished already: nothing. It ends before the next step.
  void cancel(RequestId id);
  EngineStats stats() const;

  // What the blocks on disk were good for; absent: there are none. Any thread.
  std::optional<BlockStoreStats> store_stats() const {
    return options_.store == nullptr ? std::nullopt : std::optional(options_.store->stats());
  }

  // From one thread, the engine's: one step. False when there was nothing to do.
  bool step();
  // From the engine's thread: steps until stop() is called, sleeping while there is nothing to do. An
  // internal error ends all requests with it and is thrown on.
  void run();
  void stop();

  // Rows that each expert of the main model got since the start: [expert_layers(), E]. Any thread.
  std::vector<uint64_t> expert_loads() const { return runner_.experts().loads(); }

  const model::Model& model() const { return model_; }
  const text::Tokenizer* tokenizer() const { return tokenizer_; }
  int64_t context_tokens() const { return model_.config.max_position_embeddings; }
  // Largest sum of prompt and answer that fits the cache.
  int64_t cache_tokens() const { return cache_.tokens(); }
  // Memory for the cache when nobody says how much, of what is free now; at least one sequence of the whole
  // context if there is as much.
  static size_t default_cache_bytes(const model::Model& model, Mode mode, int64_t max_running);
  // Memory that an engine with these options takes beside the weights: cache, activations, logits.
  static size_t bytes_needed(const model::Model& model, Mode mode, const EngineOptions& options);

 private:
  using Owned = std::unique_ptr<Sequence>;
  void check(const Request& request) const;
  void take_inbox();
  void finish_cancelled();
  void admit_waiting();
  bool admit(Sequence& s);
  void plan();
  bool may_probe();
  int64_t most_drafts() const;
  void run_batch(std::span<Sequence* const> batch);
  void run_module(std::span<Sequence* const> batch);
  template <class Run>
  bool run_isolated(std::span<Sequence* const> batch, Run run);
  void tell_prompt_logprobs(Sequence& s);
  void compare_draft(Sequence& s, int32_t token);
  void draw_tokens(Sequence& s);
  Draw draw_of(const Sequence& s, std::span<const float> logits) const;
  void draw_draft(Sequence& s);
  void deliver(Sequence& s, int32_t token, std::span<const float> logits, int64_t row);
  void finish(Sequence& s, FinishReason reason, const Error* error = nullptr);
  void finish_all(FinishReason reason, const Error* error);
  void remove_finished();
  void update_stats();
  StepRunner::Cache cache_view() const;

  const model::Model& model_;
  const text::Tokenizer* tokenizer_;
  EngineOptions options_;
  SequenceCache cache_;
  StepRunner runner_;
  Sampler sampler_;
  DraftGovernor governor_;
  TokenBits existing_;
  int64_t table_width_;
  std::vector<int32_t> tables_;  // [max_running, table_width_]
  std::vector<int32_t> free_slots_;
  std::deque<Owned> waiting_;   // in order of arrival
  std::vector<Owned> running_;  // the same
  std::vector<Sequence*> batch_, module_batch_;
  int64_t decoding_ = 0;  // answers of the step, prompts apart
  std::vector<TextPiece> pieces_;
  EngineStats totals_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::vector<Owned> inbox_;
  std::vector<RequestId> cancels_, cancels_now_;
  RequestId next_id_ = 1;
  bool stopping_ = false;
  EngineStats stats_;
};

}  // namespace fathom::infer
