// What the MTP module's drafts bring: tokens a second with them against without.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "infer/engine.h"

namespace fathom::eval {

// Requests of one kind, answered one after the other.
struct MtpCase {
  std::string name;
  std::vector<infer::Request> requests;
};

// Medians over the pairs, of which each answers every request once with drafts and once without.
struct MtpResult {
  std::string name;
  int64_t tokens = 0;                                   // of all answers of one run
  double on = 0, off = 0;                               // tokens a second after the first one
  double ratio = 0;                                     // median of the pairs' on / off
  double worst = 0, best = 0;                           // among the pairs
  int64_t drafted = 0, accepted = 0, switched_off = 0;  // of the last run with drafts
  bool same = true;                                     // every run gave the same tokens
};

// Each run has an engine of its own that has learned nothing yet, and which of the two goes first alternates.
// `progress` is called with a line about what runs next. Throws Exception as Engine::submit does.
std::vector<MtpResult> bench_mtp(const Context& ctx, const model::Model& model,
                                 const text::Tokenizer* tokenizer, const infer::EngineOptions& options,
                                 const std::vector<MtpCase>& cases, int pairs,
                                 const std::function<void(const std::string&)>& progress);

}  // namespace fathom::eval
