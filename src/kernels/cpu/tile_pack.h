// Bringing operands into the order that tiles want, and results out of it. For Isa::amx; include where
// functions are compiled for AVX-512.
//
// y^T = w x^T: rows of w are the rows of A as they lie in the file; x is packed once as B, pairs of columns
// by rows of x. A tile is 1 KB: 16 rows of 64 bytes.
#pragma once

#include "kernels/cpu/linear_plan.h"
#include "kernels/cpu/simd_avx512.h"

namespace fathom::kernels::cpu {

inline constexpr int64_t kTileBytes = 1024, kStrip = 32;

// Rows become columns: 16 x 16 words of 32 bits.
inline void transpose16(__m512i (&v)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    v[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    v[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    v[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    v[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0xDD);
    t[8 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0xDD);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    v[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    v[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xDD);
    v[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xDD);
  }
}

// 32 floats (the first n of them, zeros after) as 16 pairs of bfloat16.
inline __m512i bf16_pairs(const float* p, int64_t n) {
  const int64_t low = n < 16 ? n : 16, high = n - low;
  const __m512i a = _mm512_castps_si512(Avx512::round_bf16(Avx512::load_n(p, low)));
  const __m512i b = _mm512_castps_si512(Avx512::round_bf16(Avx512::load_n(p + low, high)));
  // The upper words of a, then of b.
  const __m512i upper = _mm512_load_si512(kUpperWords.data());
  return _mm512_permutex2var_epi16(a, upper, b);
}

// Where pair q of the 32-column step s belongs. FP8 is decoded 64 columns at a time, and unpacking within
// lanes of 128 bits leaves the pairs of two steps dealt out by fours; the sum over columns does not care, so
// x follows.
inline int64_t pair_offset(int64_t s, int64_t q, bool dealt) {
  if (!dealt) return s * kTileBytes + q * 64;
  const int64_t pair = s % 2 * 16 + q;
  return (s / 2 * 2 + pair % 8 / 4) * kTileBytes + (pair / 8 * 4 + pair % 4) * 64;
}

// Steps [first, last) of the 16 rows of x beginning at y's row 16 g.
inline void pack_rows(const PlannedTask& p, int64_t g, int64_t first, int64_t last, bool dealt,
                      std::byte* out) {
  const int64_t rows = p.task->y.rows - 16 * g < 16 ? p.task->y.rows - 16 * g : 16, k = p.task->x.cols;
  const float* x[16];
  for (int64_t i = 0; i < rows; ++i) x[i] = p.row(16 * g + i);
  for (int64_t s = first; s < last; ++s) {
    const int64_t left = k - 32 * s, n = left < 0 ? 0 : (left < 32 ? left : 32);
    __m512i v[16];
    if (rows == 1) {
      const __m512i pairs = bf16_pairs(x[0] + 32 * s, n);
      for (int q = 0; q < 16; ++q) v[q] = _mm512_maskz_permutexvar_epi32(1, _mm512_set1_epi32(q), pairs);
    } else {
      for (int64_t i = 0; i < 16; ++i)
        v[i] = i < rows ? bf16_pairs(x[i] + 32 * s, n) : _mm512_setzero_si512();
      transpose16(v);
    }
    for (int q = 0; q < 16; ++q) _mm512_store_si512(out + pair_offset(s, q, dealt), v[q]);
  }
}

// The lines of a strip's A tiles: step s, row r of 32.
inline std::byte* strip_line(std::byte* strip, int64_t s, int64_t r) {
  return strip + (2 * s + r / 16) * kTileBytes + r % 16 * 64;
}

// 64 FP8 codes as BF16 in the dealt order: two lines.
[[gnu::always_inline]] inline void decode_e4m3_lines(__m512i codes, std::byte* first, std::byte* second) {
  __asm__("" : "+v"(codes));  // loaded once: each lookup overwrites its index
  const __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(kE4m3High.data()), codes,
                                                _mm512_load_si512(kE4m3High.data() + 64));
  const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(kE4m3Low.data()), codes,
                                               _mm512_load_si512(kE4m3Low.data() + 64));
  const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
  const __m512i signed_high = _mm512_ternarylogic_epi32(high, codes, sign, 0xF8);  // high | (codes & sign)
  _mm512_store_si512(first, _mm512_unpacklo_epi8(low, signed_high));
  _mm512_store_si512(second, _mm512_unpackhi_epi8(low, signed_high));
}

// Columns [column, column + n) of one row of w as lines of its strip, zero up to whole steps (pairs of steps
// for FP8).
template <DType D>
inline void convert_row(const std::byte* row, int64_t column, int64_t n, std::byte* strip, int64_t r) {
  const std::byte* at = row + static_cast<size_t>(column) * size_of(D);
  for (int64_t c = 0; c < n; c += D == DType::e4m3 ? 64 : 32) {
    const int64_t s = c / 32;
    if constexpr (D == DType::e4m3) {
      const __m512i codes = n - c >= 64 ? _mm512_loadu_si512(at + c)
                                        : _mm512_maskz_loadu_epi8((uint64_t{1} << (n - c)) - 1, at + c);
      decode_e4m3_lines(codes, strip_line(strip, s, r), strip_line(strip, s + 1, r));
    } else {
      const __m512i v = n - c >= 32 ? _mm512_loadu_si512(at + 2 * c)
                                    : _mm512_maskz_loadu_epi16((uint32_t{1} << (n - c)) - 1, at + 2 * c);
      _mm512_store_si512(strip_line(strip, s, r), v);
    }
  }
}

inline void clear_row(int64_t steps, std::byte* strip, int64_t r) {
  for (int64_t s = 0; s < steps; ++s) _mm512_store_si512(strip_line(strip, s, r), _mm512_setzero_si512());
}

// sums[32][16] holds w's rows by x's rows: y[16 g + i][n + r] (=|+=) sums[r][i] for r < count.
inline void write_strip(const PlannedTask& p, Write write, int64_t g, int64_t n, int64_t count,
                        const float* sums) {
  const int64_t rows = p.task->y.rows - 16 * g < 16 ? p.task->y.rows - 16 * g : 16;
  for (int64_t half = 0; half < count; half += 16) {
    __m512i v[16];
    for (int i = 0; i < 16; ++i) v[i] = _mm512_load_si512(sums + (half + i) * 16);
    transpose16(v);
    const int64_t width = count - half < 16 ? count - half : 16;
    for (int64_t i = 0; i < rows; ++i) {
      float* y = p.task->y.row(16 * g + i) + n + half;
      auto out = _mm512_castsi512_ps(v[i]);
      if (write == Write::accumulate) out = _mm512_add_ps(Avx512::load_n(y, width), out);
      Avx512::store_n(y, out, width);
    }
  }
}

}  // namespace fathom::kernels::cpu
