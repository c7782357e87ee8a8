#include "kernels/peak.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>

#include "base/check.h"
#include "base/clock.h"

namespace fathom::kernels::cpu {
namespace {

constexpr size_t kChunkBytes = size_t{4} << 20;

// Reads kChunkBytes as several streams, asking kAhead bytes ahead of each (0: not at all).
template <size_t kStreams, size_t kAhead>
uint64_t read_chunk(const std::byte* data) {
  constexpr size_t kStream = kChunkBytes / kStreams;
  __m256i sums[kStreams];
#pragma GCC unroll 8
  for (auto& sum : sums) sum = _mm256_setzero_si256();
  for (size_t at = 0; at < kStream; at += 64) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kStreams; ++i) {
      const std::byte* line = data + i * kStream + at;
      if (kAhead > 0) _mm_prefetch(reinterpret_cast<const char*>(line + kAhead), _MM_HINT_T0);
      sums[i] = _mm256_xor_si256(sums[i], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line)));
      sums[i] = _mm256_xor_si256(sums[i], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line + 32)));
    }
  }
#pragma GCC unroll 8
  for (size_t i = 1; i < kStreams; ++i) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  return static_cast<uint64_t>(_mm256_extract_epi64(sums[0], 0));
}

double read_once(const Context& ctx, std::span<const std::byte> memory, uint64_t (*read)(const std::byte*)) {
  const int64_t chunks = static_cast<int64_t>(memory.size() / kChunkBytes);
  FATHOM_CHECK(chunks > 0);
  std::atomic<uint64_t> sink{0};
  const Stopwatch watch;
  ctx.pool->run(chunks, [&](int64_t chunk, int) {
    const uint64_t sum = read(memory.data() + static_cast<size_t>(chunk) * kChunkBytes);
    sink.fetch_xor(sum, std::memory_order_relaxed);
  });
  return static_cast<double>(chunks) * kChunkBytes / watch.seconds();
}

constexpr int64_t kRounds = 1 << 16;
// Two FMAs a cycle, four to five cycles each. Every loop over them is unrolled, else they lie in memory.
constexpr int kAccumulators = 10;

// Each returns its operations; `sink` keeps the results alive.
double fma_avx2(float& sink) {
  __m256 acc[kAccumulators];
#pragma GCC unroll 10
  for (auto& a : acc) a = _mm256_set1_ps(1e-3f);
  __m256 x = _mm256_set1_ps(0.5f);
  const __m256 y = _mm256_set1_ps(1e-3f);
  for (int64_t r = 0; r < kRounds; ++r)
#pragma GCC unroll 10
    for (auto& a : acc) {
      a = _mm256_fmadd_ps(a, x, y);
      __asm__("" : "+x"(a), "+x"(x));
    }
#pragma GCC unroll 10
  for (const auto& a : acc) sink += _mm256_cvtss_f32(a);
  return 2.0 * 8 * kAccumulators * kRounds;
}

__attribute__((target("avx512f"))) double fma_avx512(float& sink) {
  __m512 acc[kAccumulators];
#pragma GCC unroll 10
  for (auto& a : acc) a = _mm512_set1_ps(1e-3f);
  __m512 x = _mm512_set1_ps(0.5f);
  const __m512 y = _mm512_set1_ps(1e-3f);
  for (int64_t r = 0; r < kRounds; ++r)
#pragma GCC unroll 10
    for (auto& a : acc) {
      a = _mm512_fmadd_ps(a, x, y);
      __asm__("" : "+v"(a), "+v"(x));
    }
#pragma GCC unroll 10
  for (const auto& a : acc) sink += _mm512_cvtss_f32(a);
  return 2.0 * 16 * kAccumulators * kRounds;
}

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t columns[16] = {};
  uint8_t rows[16] = {};
};

__attribute__((target("amx-tile,amx-bf16"))) double tiles_amx(float& sink) {
  TileConfig config;
  for (int t = 0; t < 8; ++t) {
    config.columns[t] = 64;
    config.rows[t] = 16;
  }
  // The intrinsic names less of its operand than it reads.
  __asm__ volatile("" ::"r"(&config) : "memory");
  _tile_loadconfig(&config);
  alignas(64) float out[16 * 16];
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int64_t r = 0; r < kRounds / 16; ++r) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, out, 64);
  sink += out[0];
  _tile_release();
  return 2.0 * 16 * 16 * 32 * 4 * (kRounds / 16);
}

}  // namespace

double read_bandwidth(const Context& ctx, std::span<const std::byte> memory) {
  // The first is what Intel's processors read fastest (one stream: a tenth slower or more), the second AMD's.
  return std::max(read_once(ctx, memory, read_chunk<8, 1024>), read_once(ctx, memory, read_chunk<4, 0>));
}

double matrix_peak(const Context& ctx) {
  const auto round = [&ctx](float& sink) {
    switch (ctx.isa) {
      case Isa::avx2: return fma_avx2(sink);
      case Isa::avx512: return fma_avx512(sink);
      case Isa::amx: return tiles_amx(sink);
    }
    return 0.0;
  };
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::atomic<double> operations{0};
    std::atomic<float> sink{0};
    const int64_t chunks = ctx.pool->threads() * int64_t{64};
    const Stopwatch watch;
    ctx.pool->run(chunks, [&](int64_t, int) {
      float local = 0;
      operations.fetch_add(round(local));
      sink.store(local, std::memory_order_relaxed);
    });
    best = std::max(best, operations.load() / watch.seconds());
  }
  return best;
}

}  // namespace fathom::kernels::cpu
