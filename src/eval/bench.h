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
  std::vector<int64_t> prefill = {512};        // prompt lengths
  std::vector<int64_t> prefill_batches = {1};  // prompts that are computed together
  std::vector<int64_t> batches = {1, 4, 16};   // sequences that decode together
  std::vector<int64_t> depths = {64};          // positions a sequence already has when it decodes
  int64_t steps = 32;                          // decoding steps of one run
  int pairs = 5;  // runs, each beside a measurement of the limits; medians are reported
  size_t bandwidth_bytes = size_t{2} << 30;  // memory that is read to measure the bandwidth
};

// Medians over the pairs; shares are medians of the pairs' shares.
struct BenchResult {
  std::string kind;    // "prefill" or "decode"
  int64_t batch = 1;   // sequences
  int64_t length = 0;  // of a prompt; when decoding: positions that a sequence already has
  double tokens_per_second = 0;
  double bytes_per_token =
      0;  // weights of every expert that some row chose, once a step; dense weights; cache entries
  double bytes_per_step = 0;
  double bytes_per_second = 0;
  double bandwidth = 0;  // bytes a second the machine read at, measured in turn with the runs
  double bandwidth_share = 0;
  double flops_per_second = 0;  // of products with weights and of attention
  double flops_share = 0;       // of the matrix peak
  double barrier_share = 0;     // of the time, the caller waiting for other threads
  double barrier_seconds = 0;   // the same for one parallel region
  double regions_per_step = 0;
  // When experts are read from the disk; else 0. The first run begins with what earlier ones left in memory:
  // the first result of a fresh process with nothing.
  double disk_bytes_per_token = 0, disk_bytes_per_second = 0, disk_rate = 0, disk_share = 0;
  double first_tokens_per_second = 0, first_disk_bytes_per_second = 0, first_disk_share = 0;
};

struct BenchReport {
  double read_bandwidth = 0;  // bytes a second, median
  double matrix_peak = 0;     // operations a second in registers
  double disk_rate = 0;       // bytes a second, median; 0: no experts are read from the disk
  std::vector<BenchResult> results;
};

// `progress` is called with a line about what runs next. Random tokens from a fixed seed, so that routing
// spreads.
BenchReport bench(const Context& ctx, const model::Model& model, const BenchPlan& plan,
                  const model::Options& options, const std::function<void(const std::string&)>& progress);

// What that takes beside the weights.
uint64_t bench_bytes(const model::Model& model, Mode mode, const BenchPlan& plan);

}  // namespace fathom::eval
