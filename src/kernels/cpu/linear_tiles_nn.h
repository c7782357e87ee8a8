// x w on matrix tiles T: the absorption of a head's up-projection. Rows of x are the A operand; pairs of rows
// of w, interleaved, the B operand, 64 columns at a time.
//
// One arithmetic for any number of rows: sums along K in the tile, 32 rows of w an instruction, over all of K
// for BF16 and over the rows of one scale block for FP8; the blocks' sums, times their scales, in FP32.
#pragma once

#include "kernels/cpu/linear_tiles.h"

namespace fathom::kernels::cpu {

inline constexpr int64_t kNnColumns = 64, kNnTiles = 4;

// Writes the 16 rows of x beginning at y's row 16 g as A tiles, rows of w that share a scale beginning a
// step.
inline void pack_rows_nn(const PlannedTask& p, int64_t g, std::byte* out) {
  const int64_t rows = p.task->y.rows - 16 * g < 16 ? p.task->y.rows - 16 * g : 16;
  for (int64_t k = 0; k < p.task->w.rows;) {
    const int64_t end = k + scale_run(p.task->w, k);
    for (; k < end; k += 32, out += kTileBytes) {
      for (int64_t i = 0; i < 16; ++i)
        _mm512_store_si512(out + 64 * i, i < rows
                                             ? bf16_pairs(p.row(16 * g + i) + k, end - k < 32 ? end - k : 32)
                                             : _mm512_setzero_si512());
    }
    k = end;
  }
}

// Rows k and k + 1 of w (`second` null: zeros), columns [n, n + count), as line `line` of the four B tiles of
// a step. Unpacking within lanes of 128 bits deals the columns out by fours; nn_line puts them back.
template <DType D>
inline void interleave_rows(const std::byte* first, const std::byte* second, int64_t n, int64_t count,
                            std::byte* out) {
  const auto put = [out](int64_t tile, __m512i a, __m512i b) {
    _mm512_store_si512(out + tile * kTileBytes, _mm512_unpacklo_epi16(a, b));
    _mm512_store_si512(out + (tile + 1) * kTileBytes, _mm512_unpackhi_epi16(a, b));
  };
  alignas(64) std::byte a[2][64], b[2][64];
  const __m512i zero = _mm512_setzero_si512();
  if constexpr (D == DType::e4m3) {
    const uint64_t mask = count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    decode_e4m3_lines(_mm512_maskz_loadu_epi8(mask, first + n), a[0], a[1]);
    decode_e4m3_lines(second != nullptr ? _mm512_maskz_loadu_epi8(mask, second + n) : zero, b[0], b[1]);
  } else {
    for (int64_t half = 0; half < 2; ++half) {
      const int64_t left = count - 32 * half;
      const uint32_t mask = left >= 32 ? ~uint32_t{0} : (left > 0 ? (uint32_t{1} << left) - 1 : 0);
      _mm512_store_si512(a[half], _mm512_maskz_loadu_epi16(mask, first + 2 * (n + 32 * half)));
      _mm512_store_si512(
          b[half], second != nullptr ? _mm512_maskz_loadu_epi16(mask, second + 2 * (n + 32 * half)) : zero);
    }
  }
  for (int64_t half = 0; half < 2; ++half)
    put(2 * half, _mm512_load_si512(a[half]), _mm512_load_si512(b[half]));
}

template <DType D>
void interleave_columns(const Weight& w, int64_t n, int64_t count, std::byte* out) {
  for (int64_t k = 0; k < w.rows;) {
    const int64_t end = k + scale_run(w, k);
    for (; k < end; k += 32, out += kNnTiles * kTileBytes) {
      for (int64_t i = 0; i < 32; i += 2) {
        std::byte* line = out + i / 2 * 64;
        if (k + i < end)
          interleave_rows<D>(w.row(k + i), k + i + 1 < end ? w.row(k + i + 1) : nullptr, n, count, line);
        else
          for (int64_t t = 0; t < kNnTiles; ++t)
            _mm512_store_si512(line + t * kTileBytes, _mm512_setzero_si512());
      }
    }
    k = end;
  }
}

// Line r of four C tiles in the order of the columns: 64 floats.
template <DType D>
inline void nn_line(const float* sums, int64_t r, __m512 (&out)[4]) {
  __m512 t[4];
  for (int i = 0; i < 4; ++i) t[i] = _mm512_load_ps(sums + 256 * i + 16 * r);
  if constexpr (D == DType::e4m3) {  // lane i of tile j holds columns 16 i + 4 j ..
    const auto a = _mm512_shuffle_f32x4(t[0], t[1], 0x44), b = _mm512_shuffle_f32x4(t[2], t[3], 0x44);
    const auto c = _mm512_shuffle_f32x4(t[0], t[1], 0xEE), d = _mm512_shuffle_f32x4(t[2], t[3], 0xEE);
    out[0] = _mm512_shuffle_f32x4(a, b, 0x88);
    out[1] = _mm512_shuffle_f32x4(a, b, 0xDD);
    out[2] = _mm512_shuffle_f32x4(c, d, 0x88);
    out[3] = _mm512_shuffle_f32x4(c, d, 0xDD);
  } else {  // tiles 0 and 1 hold the first 32 columns: lane i of tile j holds 8 i + 4 j ..
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i second = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    for (int half = 0; half < 2; ++half) {
      out[2 * half] = _mm512_permutex2var_ps(t[2 * half], first, t[2 * half + 1]);
      out[2 * half + 1] = _mm512_permutex2var_ps(t[2 * half], second, t[2 * half + 1]);
    }
  }
}

struct alignas(64) NnScratch {
  float block[kNnTiles * 256], sums[kNnTiles * 256];
  // The B tiles of all of K follow.
  static size_t bytes(int64_t steps) {
    return sizeof(NnScratch) + static_cast<size_t>(steps * kNnTiles * kTileBytes);
  }
  std::byte* tiles() { return reinterpret_cast<std::byte*>(this + 1); }
};

template <DType D, class T>
void nn_group(T& t, const PlannedTask& p, Write write, int64_t g, int64_t n, int64_t count, NnScratch& s) {
  const Weight& w = p.task->w;
  const std::byte* a = p.packed + g * p.copy_bytes;
  const std::byte* b = s.tiles();
  for (int64_t k = 0; k < w.rows;) {
    const int64_t run = scale_run(w, k);
    clear_sums<2>(t);
    for (int64_t i = 0; i < run; i += 32, a += kTileBytes, b += kNnTiles * kTileBytes) {
      t.template load<4>(a, 64);
      t.template load<5>(b, 64);
      t.template multiply<0, 4, 5>();
      t.template release<5>();
      t.template load<6>(b + kTileBytes, 64);
      t.template multiply<1, 4, 6>();
      t.template release<6>();
      t.template load<7>(b + 2 * kTileBytes, 64);
      t.template multiply<2, 4, 7>();
      t.template release<7>();
      t.template load<5>(b + 3 * kTileBytes, 64);
      t.template multiply<3, 4, 5>();
      t.template release<4>();
      t.template release<5>();
    }
    if constexpr (D == DType::e4m3) {
      store_sums<2>(t, s.block);
      const StripScales scales(w, k, 1, n);
      add_scaled<2>(s.block, scales, k == 0, s.sums);
    } else {
      store_sums<2>(t, s.sums);
    }
    k += run;
  }
  const int64_t rows = p.task->y.rows - 16 * g < 16 ? p.task->y.rows - 16 * g : 16;
  for (int64_t r = 0; r < rows; ++r) {
    __m512 line[4];
    nn_line<D>(s.sums, r, line);
    float* y = p.task->y.row(16 * g + r) + n;
    for (int64_t i = 0; 16 * i < count; ++i) {
      const int64_t width = count - 16 * i < 16 ? count - 16 * i : 16;
      if (write == Write::accumulate) line[i] = _mm512_add_ps(Avx512::load_n(y + 16 * i, width), line[i]);
      Avx512::store_n(y + 16 * i, line[i], width);
    }
  }
}

template <DType D, class T>
void nn_outputs(T& t, const OutputRange& range, Write write, NnScratch& s) {
  const PlannedTask& p = *range.planned;
  for (int64_t n = range.begin; n < range.end; n += kNnColumns) {
    const int64_t count = range.end - n < kNnColumns ? range.end - n : kNnColumns;
    interleave_columns<D>(p.task->w, n, count, s.tiles());
    for (int64_t g = 0; 16 * g < p.task->y.rows; ++g) nn_group<D>(t, p, write, g, n, count, s);
  }
}

}  // namespace fathom::kernels::cpu
