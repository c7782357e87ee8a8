// Tile registers in plain code: what HardwareTiles does, on machines without it. To the bit, but for
// denormals, which are nothing special here (compared with the hardware:
// bench/results/amx-machine-2026-11-24.md).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "numeric/bf16.h"

namespace fathom::test {

class ModelTiles {
 public:
  template <int kTile>
  void zero() {
    std::memset(tile_[kTile], 0, sizeof tile_[kTile]);
  }
  // What is used after it was given back spoils the sums.
  template <int kTile>
  void release() {
    std::memset(tile_[kTile], 0x7F, sizeof tile_[kTile]);
  }
  template <int kTile>
  void load(const void* p, int64_t stride) {
    for (int r = 0; r < 16; ++r)
      std::memcpy(tile_[kTile][r], static_cast<const std::byte*>(p) + r * stride, 64);
  }
  template <int kTile>
  void store(void* p, int64_t stride) {
    for (int r = 0; r < 16; ++r) std::memcpy(static_cast<std::byte*>(p) + r * stride, tile_[kTile][r], 64);
  }
  template <int kC, int kA, int kB>
  void multiply() {
    for (int m = 0; m < 16; ++m) {
      float c[16], even[16] = {}, odd[16] = {};
      std::memcpy(c, tile_[kC][m], 64);
      for (int k = 0; k < 16; ++k) {
        bf16 a[2], b[32];
        std::memcpy(a, tile_[kA][m] + 4 * k, 4);
        std::memcpy(b, tile_[kB][k], 64);
        for (int n = 0; n < 16; ++n) {
          even[n] = std::fma(to_float(a[0]), to_float(b[2 * n]), even[n]);
          odd[n] = std::fma(to_float(a[1]), to_float(b[2 * n + 1]), odd[n]);
        }
      }
      for (int n = 0; n < 16; ++n) c[n] += even[n] + odd[n];
      std::memcpy(tile_[kC][m], c, 64);
    }
  }

 private:
  alignas(64) std::byte tile_[8][16][64];
};

}  // namespace fathom::test
