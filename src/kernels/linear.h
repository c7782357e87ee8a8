// Products with parameter matrices: projections, experts, heads. FP32 accumulation.
//
// A group of independent products runs as one parallel region: the two halves of a gated FFN, all chosen experts, all
// heads. Batch invariance: row r of y depends on row r of x and on w alone, bit for bit, whatever the other rows and
// tasks are and however many threads run.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/context.h"
#include "tensor/mat.h"
#include "tensor/weight.h"

namespace fathom::kernels {

struct LinearTask {
  Mat<const float> x;               // [M, K]; with gather any number of rows
  Weight w;                         // form nt: [N, K], form nn: [K, N]
  Mat<float> y;                     // [M, N]; tasks of a group never share an element
  const int32_t* gather = nullptr;  // [M]: row r of y comes from row gather[r] of x
};

enum class Form : uint8_t {
  nt,  // y = x w^T
  nn,  // y = x w
};

// How the rows of x enter the product.
enum class Operands : uint8_t {
  by_mode,  // rounded to BF16 in fast mode, as they are in faithful mode
  f32,      // as they are in both: the router
};

struct Linear {
  std::span<const LinearTask> tasks;
  Form form = Form::nt;
  Write write = Write::overwrite;
  Operands operands = Operands::by_mode;
};

// y (=|+=) x w^T or x w for every task. An FP8 weight stands for fp8 * block scale (README_WEIGHTS). x and y must not
// overlap. Throws Exception naming the weight's NaN or infinity when a scale is not finite.
void linear(const Context& ctx, const Linear& op);

namespace ref { void linear(const Context& ctx, const Linear& op); }
namespace cpu { void linear(const Context& ctx, const Linear& op); }
namespace cuda { void linear(const Context& ctx, const Linear& op); }

}  // namespace fathom::kernels
