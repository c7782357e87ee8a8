// Every way linear() can run here, the AMX kernels on a model of the tiles included.
#pragma once

#include <string>
#include <vector>

#include "kernels/linear.h"
#include "tests/support/kernel_data.h"

namespace fathom::test {

struct LinearArm {
  Context ctx;
  std::string name;
  void (*run)(const Context& ctx, const kernels::Linear& op);
};

std::vector<LinearArm> linear_arms(ThreadPool& pool);

// The AMX arm of fast mode with modelled tiles: needs AVX-512.
void linear_on_model_tiles(const Context& ctx, const kernels::Linear& op);

}  // namespace fathom::test
