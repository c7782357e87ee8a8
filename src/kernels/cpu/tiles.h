// AMX tile registers as the kernels use them: eight tiles of 16 rows of 64 bytes.
//
// Written as assembly because the compilers' intrinsics want literal register numbers, and GCC 12's loads the
// configuration without saying that it reads it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fathom::kernels::cpu {

// What the processor reads 64 bytes of: palette 1, and for each tile its bytes a row and its rows.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  std::array<uint8_t, 14> reserved{};
  std::array<uint16_t, 16> row_bytes{64, 64, 64, 64, 64, 64, 64, 64};
  std::array<uint8_t, 16> rows{16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// The tiles of the calling thread, configured while the object lives. Strides in bytes.
class HardwareTiles {
 public:
  HardwareTiles() {
    const TileConfig config;
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
  }
  ~HardwareTiles() { __asm__ volatile("tilerelease" ::: "memory"); }
  HardwareTiles(const HardwareTiles&) = delete;
  HardwareTiles& operator=(const HardwareTiles&) = delete;

  template <int kTile>
  [[gnu::always_inline]] void zero() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // Says that a tile's contents are no longer wanted. With both hyperthreads of a core at work, every tile in
  // use makes loads wait longer, as if the two shared what tiles are renamed from: with eight in use a
  // product took 26 ns, with unused ones given back 16 (bench/results, AMX machine).
  template <int kTile>
  [[gnu::always_inline]] void release() {
    zero<kTile>();
  }
  template <int kTile>
  [[gnu::always_inline]] void load(const void* p, int64_t stride) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  [[gnu::always_inline]] void store(void* p, int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(stride), "i"(kTile) : "memory");
  }
  // C[m][n] += sum over the 16 pairs k of A[m][2k] B[k][2n] + A[m][2k + 1] B[k][2n + 1]: BF16 in, FP32 sums.
  template <int kC, int kA, int kB>
  [[gnu::always_inline]] void multiply() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }
};

}  // namespace fathom::kernels::cpu
