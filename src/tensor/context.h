// What an operation runs with: backend, numerics, instruction set and threads. Passed to every operation; never global.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "tensor/isa.h"

namespace fathom {

// Who computes. `ref` is the readable specification in plain FP32 loops; `cpu` and `cuda` are tested against it.
enum class Backend : uint8_t { ref, cpu, cuda };

// faithful: FP32 activations and latent cache. fast: the operands of every matrix product and the latent cache are
// rounded to BF16. Router, norms, softmax, sums and the residual stream are FP32 in both.
enum class Mode : uint8_t { faithful, fast };

// A value; copies share the pool. Operations with the same context run one at a time.
struct Context {
  Backend backend = Backend::cpu;
  Mode mode = Mode::fast;
  Isa isa = Isa::avx2;
  ThreadPool* pool = nullptr;  // never null when an operation runs
};

}  // namespace fathom
