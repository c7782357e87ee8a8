// Every way the products can run here, the AMX kernels on a model of the tiles included.
#pragma once

#include <string>
#include <vector>

#include "kernels/linear.h"
#include "kernels/mla_attention.h"
#include "tests/support/kernel_data.h"

namespace fathom::test {

template <class Op>
struct Arm {
  Context ctx;
  std::string name;
  void (*run)(const Context& ctx, const Op& op);
};
using LinearArm = Arm<kernels::Linear>;
using AttentionArm = Arm<kernels::MlaAttention>;

std::vector<LinearArm> linear_arms(ThreadPool& pool);
std::vector<AttentionArm> attention_arms(ThreadPool& pool);

}  // namespace fathom::test
