// Sizes that fix the order in which attention takes its keys.
#pragma once

#include <cstdint>

namespace fathom::kernels::cpu {

// Keys of a span: small enough that its cache entries stay in a core's second-level cache between scores and
// values.
inline constexpr int64_t kSpan = 256;

// Heads computed together.
inline constexpr int kHeads = 4;

}  // namespace fathom::kernels::cpu
