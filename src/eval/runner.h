// Runs whole sequences through a model and keeps what verification compares.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "infer/latent_pool.h"
#include "model/forward.h"

namespace fathom::eval {

// What one layer's router chose for every position of a sequence.
struct Routing {
  std::vector<float> logits;    // [T, E]
  std::vector<int32_t> index;   // [T, K]
  std::vector<float> weight;    // [T, K]
};

struct SequenceRecord {
  std::vector<std::vector<float>> hidden;  // [L + 1][T, H], when asked for
  std::vector<float> final_hidden;         // [T, H], before the final norm
  std::map<int64_t, Routing> routing;      // by layer; the MTP modules' after their runs
};

// One sequence at a time, in chunks, with a cache of its own. Not thread-safe.
class SequenceRunner {
 public:
  SequenceRunner(const Context& ctx, const model::Model& model, int64_t max_tokens, model::Options options);

  // Activations of a step, and as much again for what is recorded.
  static size_t bytes_needed(const model::Model& model);

  // The main model's layers over `tokens`.
  SequenceRecord run(std::span<const int32_t> tokens, bool keep_hidden);
  // The main model's logits [T, V] of what run() recorded.
  std::vector<float> logits(const SequenceRecord& record);
  // Logits of MTP module k over the same tokens, [T - 1 - k, V], and its routing into the record. Runs modules 0 to k.
  std::vector<float> mtp_logits(std::span<const int32_t> tokens, SequenceRecord& record, int64_t k, bool prenorm);
  // `count` greedy tokens after `prompt`, one step each, end of sequence ignored.
  std::vector<int32_t> greedy(std::span<const int32_t> prompt, int64_t count);

 private:
  class Recorder;
  model::Step step(std::span<const int32_t> tokens, int64_t first_position);
  template <class Chunk>
  void in_chunks(int64_t rows, Chunk chunk);

  const model::Model& model_;
  infer::LatentPool pool_;
  model::Workspace workspace_;
  model::Forward forward_;
  std::vector<int32_t> table_, positions_, sequences_;
};

}  // namespace fathom::eval
