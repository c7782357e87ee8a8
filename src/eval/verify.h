// Compares a model on this build with recorded reference vectors: how a user proves that it computes faithfully.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"
#include "model/step.h"
#include "tensor/context.h"

namespace fathom::eval {

// One key of the file. What does not apply is absent.
struct VerifyPart {
  std::optional<double> max_abs_diff, mean_abs_diff_over_std, kl_mean, kl_median, top1_agreement, experts_agreement;
  std::optional<bool> greedy_equal;
  std::optional<bool> pass;  // absent: printed, not judged
};

struct VerifyReport {
  bool pass = false;
  std::vector<std::pair<std::string, VerifyPart>> parts;  // in order of the file's keys
};

// Computes what the safetensors file `path` holds and judges it by the rules of docs/verify.md: the faithful ones or, in
// fast mode, the looser ones. Throws Exception for unknown keys, wrong types or shapes, ids out of range, and a file in
// which nothing is left to judge.
// With options.act_quant it judges logits_act_quant, and that alone; options.act_format comes from the model.
VerifyReport verify(const Context& ctx, const model::Model& model, const std::string& path, const model::Options& options);

// About what that takes beside the weights.
uint64_t verify_bytes(const model::Model& model);

}  // namespace fathom::eval
