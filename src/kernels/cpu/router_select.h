// Picking groups and experts once a row's scores are known.
#pragma once

#include <cstdint>

#include "kernels/router.h"

namespace fathom::kernels::cpu {

// Floats that select_experts needs besides the scores.
inline int64_t router_scratch(const Router& op) { return 2 * op.logits.cols + op.groups; }

// Fills row r of op.index and op.weight from score[E] and choice[E], which it overwrites; group[groups] is
// scratch.
void select_experts(const Router& op, int64_t r, const float* score, float* choice, float* group);

}  // namespace fathom::kernels::cpu
