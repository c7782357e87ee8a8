// Measures a model on this machine beside what the machine can do at most.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/step.h"
#include "tensor/context.h"

namespace fathom::eval {

struct BenchPlan {
  std::vector<int64_t> prefill = {512};      // prompt lengths
  std::vector<int64_t> batches = {1, 4, 16}; // sequences that decode together
  std::vector<int64_t> depths = {64};        // positions a sequence already has when it decodes
  int64_t steps = 32;                        // decoding steps of one run
  int pairs = 5;                             // runs, each beside a measurement of the limits; medians are reported
};

// Medians over the pairs.
struct BenchResult {
  std::string kind;            // "prefill" or "decode"
  int64_t batch = 1, depth = 0, tokens = 0;
  double tokens_per_second = 0;
  double bytes_per_step = 0;   // weights of every expert that some row chose, once; dense weights; cache entries read
  double bytes_per_second = 0;
  double bandwidth = 0;        // bytes a second the machine read at, measured in turn with the runs
  double bandwidth_share = 0;  // median of the pairs' shares
  double flops_per_second = 0; // of products with weights and of attention
  double flops_share = 0;      // of the matrix peak
  double barrier_share = 0;    // of the time, the caller waiting for other threads
};

struct BenchReport {
  double read_bandwidth = 0;  // bytes a second, median
  double matrix_peak = 0;     // operations a second in registers
  std::vector<BenchResult> results;
};

// `progress` is called with a line about what runs next. Random tokens from a fixed seed, so that routing spreads.
BenchReport bench(const Context& ctx, const model::Model& model, const BenchPlan& plan, const model::Options& options,
                  const std::function<void(const std::string&)>& progress);

}  // namespace fathom::eval
