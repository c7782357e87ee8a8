// Counter-based random numbers: a value depends on (seed, stream, index) alone, never on the order of the calls or the
// number of threads. The mixer is Philox4x32-10 (Salmon et al., SC 2011).
#pragma once

#include <array>
#include <cstdint>

namespace fathom {

// Four 32-bit words for one counter.
std::array<uint32_t, 4> philox(uint64_t key, uint64_t counter_low, uint64_t counter_high);

// Uniform in (0, 1), never 0 or 1: (word + 0.5) / 2^32.
inline double uniform_open(uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

// Two independent standard normal values (Box-Muller in FP64) from one counter.
std::array<float, 2> normal_pair(uint64_t key, uint64_t counter_low, uint64_t counter_high);

}  // namespace fathom
