// What the machine can do at most: the yardsticks that benchmarks quote shares of. CPU only.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/context.h"

namespace fathom::kernels::cpu {

// Bytes a second at which all threads of the pool together read `memory`, streaming: the better of
// two patterns. The buffer should be several times the last-level cache.
double read_bandwidth(const Context& ctx, std::span<const std::byte> memory);

// Floating-point operations a second (a multiply and an add are two) of all threads with operands in registers, in the
// instruction set of the context: AMX BF16 tiles, or FP32 fused multiply-adds. Takes about a tenth of a second.
double matrix_peak(const Context& ctx);

}  // namespace fathom::kernels::cpu
