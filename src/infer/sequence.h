// A running request as the engine sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "infer/draft_governor.h"
#include "infer/output_text.h"
#include "infer/request.h"
#include "infer/sequence_cache.h"
#include "infer/token_history.h"

namespace fathom::infer {

inline constexpr int32_t kNoToken = -1;

struct Sequence {
  uint64_t id = 0;
  Request request;
  std::shared_ptr<RequestListener> listener;

  std::vector<int32_t> tokens;  // prompt and answer
  int64_t limit = 0;            // tokens it may have in all
  int64_t computed = 0;         // positions that the cache holds, MTP module apart
  int64_t module_computed = 0;  // and the module's
  SequenceBlocks blocks;
  int32_t slot = 0;  // row of the block tables
  TokenHistory history;
  std::optional<OutputText> text;

  bool drafting = false;  // keeps the module's cache up and asks it for drafts
  DraftRecord drafts;
  int32_t draft = kNoToken;  // for position tokens.size()
  double draft_lead = 0;     // see Sampler::lead

  // Rows of the current step: the first `accepted_rows` of them turned out to be tokens of the sequence.
  int64_t first_row = 0, rows = 0, accepted_rows = 0;
  int64_t first_logits = -1;  // row of the logits; -1: the prompt goes on after this step

  bool finished = false;
  Usage usage;
  std::string stop_string;
  Stopwatch since_submit, since_admission, since_first_token;
  double queue_s = 0, prefill_s = 0;

  int64_t prompt_size() const { return static_cast<int64_t>(request.prompt.size()); }
  int64_t size() const { return static_cast<int64_t>(tokens.size()); }
  // Exactly the last token is not computed: the next step draws.
  bool decoding() const { return size() > prompt_size(); }
};

}  // namespace fathom::infer
