// IEEE half precision: read-only, some checkpoints carry it.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace fathom {

struct f16 {
  uint16_t bits = 0;
};

inline float to_float(f16 v) { return _cvtsh_ss(v.bits); }

}  // namespace fathom
