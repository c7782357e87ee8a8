// Vectors of eight floats for the kernels' templates: what every processor that the program starts on has.
#pragma once

#include "kernels/cpu/intrinsics.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/dtype.h"

namespace fathom::kernels::cpu {

// Tails: `_n` functions touch the first n elements only (0 <= n <= kLanes) and read the others as zero.
struct Avx2 {
  using F = __m256;
  static constexpr int64_t kLanes = 8;
  static constexpr int kStepVectors = 2;  // vectors that decode() yields at once
  static constexpr int64_t kStep = kStepVectors * kLanes;
  static constexpr int kOrderedVectors = 4;  // the same of decode_in_e4m3_order()
  static constexpr int64_t kOrderedStep = kOrderedVectors * kLanes;
  static constexpr int kTileRows = 3;    // rows of x beside four of w that fill the registers with sums
  static constexpr int kDirectTile = 3;  // the same where w is decoded for them
  static constexpr int kHeadTile = 4;    // heads that share a key's values
  // Loads of x are repeated for each row of w: kept in registers, they would push the sums out to memory.
  static constexpr bool kReloads = true;

  static F zero() { return _mm256_setzero_ps(); }
  static F set1(float v) { return _mm256_set1_ps(v); }
  static F load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, F v) { _mm256_storeu_ps(p, v); }
  static F load_n(const float* p, int64_t n) { return _mm256_maskload_ps(p, mask(n)); }
  static void store_n(float* p, F v, int64_t n) { _mm256_maskstore_ps(p, mask(n), v); }
  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a b
  // b when either is NaN.
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F min(F a, F b) { return _mm256_min_ps(a, b); }
  static F round_even(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static F abs(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  // 2^n for a whole n in [-126, 127]; anything for NaN.
  static F pow2(F n) {
    const __m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
  }
  static F first_n(F v, int64_t n) { return _mm256_and_ps(v, _mm256_castsi256_ps(mask(n))); }  // others zero
  // v where a >= b or either is NaN, else 0.
  static F unless_less(F a, F b, F v) { return _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NLT_UQ), v); }

  // Pairs (l, l + 4), (l, l + 2), (l, l + 1) in this order.
  static float sum(F v) {
    const __m128 a = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 b = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
  }
  // The four sums, each as sum() forms it.
  static __m128 sum4(F a, F b, F c, F d) {
    const F ab = add(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    const F cd = add(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
    const F pairs = add(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
    const F all =
        add(_mm256_shuffle_ps(pairs, pairs, 0x88), _mm256_shuffle_ps(pairs, pairs, 0xDD));  // a c | b d
    return _mm_unpacklo_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
  }
  static float largest(F v) {
    const __m128 a = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 b = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
  }
  // Sum of squares in FP64.
  struct Squares {
    __m256d low, high;
    Squares() : low(_mm256_setzero_pd()), high(_mm256_setzero_pd()) {}
    void add(F v) {
      const __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(v)),
                    b = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
      low = _mm256_fmadd_pd(a, a, low);
      high = _mm256_fmadd_pd(b, b, high);
    }
    double total() const {
      double lane[4];
      _mm256_storeu_pd(lane, _mm256_add_pd(low, high));
      return (lane[0] + lane[1]) + (lane[2] + lane[3]);
    }
  };
  static F swap_pairs(F v) { return _mm256_permute_ps(v, 0xB1); }
  // (c0, c0, c1, c1, ..) from four floats.
  static F double_each(const float* p) {
    const __m256i index = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), index);
  }
  static F negate_even(F v) {
    return _mm256_xor_ps(v, _mm256_setr_ps(-0.0f, 0, -0.0f, 0, -0.0f, 0, -0.0f, 0));
  }
  // To the nearest FP8 value (e4m3), ties to even, saturating; NaN stays NaN.
  static F round_e4m3(F v) {
    const F sign = _mm256_and_ps(v, set1(-0.0f));
    const F a = min(set1(448.0f), abs(v));
    const F spacing = set1(0x1p14f);  // its last place is 2^-9, the step of the subnormals
    const F subnormal = sub(add(a, spacing), spacing);
    const __m256i u = _mm256_castps_si256(a);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 20), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7FFFF)), odd);
    const F normal = _mm256_castsi256_ps(_mm256_and_si256(rounded, _mm256_set1_epi32(~0xFFFFF)));
    return _mm256_or_ps(sign,
                        _mm256_blendv_ps(normal, subnormal, _mm256_cmp_ps(a, set1(0x1p-6f), _CMP_LT_OQ)));
  }

  // To the nearest bfloat16, ties to even; NaN stays NaN.
  static F round_bf16(F v) { return _mm256_castsi256_ps(_mm256_slli_epi32(bf16_bits(v), 16)); }
  static void store_bf16(std::byte* p, F v) {
    const __m256i b = bf16_bits(v);
    const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
  }

  // kStep consecutive stored elements as floats, in order; FP8 divided by kE4m3Unit, which callers put into
  // the scale.
  static constexpr float kE4m3Unit = 256;
  template <DType D>
  [[gnu::always_inline]] static void decode(const std::byte* p, F (&out)[kStepVectors]) {
    if constexpr (D == DType::f32) {
      out[0] = load(reinterpret_cast<const float*>(p));
      out[1] = load(reinterpret_cast<const float*>(p) + 8);
    } else if constexpr (D == DType::bf16) {
      out[0] = widen_bf16(load128(p));
      out[1] = widen_bf16(load128(p + 16));
    } else if constexpr (D == DType::f16) {
      out[0] = _mm256_cvtph_ps(load128(p));
      out[1] = _mm256_cvtph_ps(load128(p + 16));
    } else {
      static_assert(D == DType::e4m3);
      const __m256i f16 = e4m3_as_f16(load128(p));
      out[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(f16));
      out[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(f16, 1));
    }
  }
  // Codes seen by decode_in_e4m3_order(), which reads NaN as 480: whoever decodes asks at the end.
  struct NanWatch {
    __m256i largest = _mm256_setzero_si256();
    void see(__m256i codes) {
      largest = _mm256_max_epu8(largest, _mm256_and_si256(codes, _mm256_set1_epi8(0x7F)));
    }
    bool found() const {
      return _mm256_movemask_epi8(_mm256_cmpeq_epi8(largest, _mm256_set1_epi8(0x7F))) != 0;
    }
  };
  // kOrderedStep FP8 elements times 2^-120, in the order that decoding leaves, and x in that order. The bits
  // are those of a float with the exponents of e4m3: half of decode()'s instructions.
  // Subnormal codes become subnormal floats, which arithmetic takes as they are; processors that are slow
  // with those meet one in ten thousand weights. The factor is taken back in two parts, so that neither
  // x nor the sums leave the range of floats: a scale, and x times it, may reach 2^48, sums go down to 2^-86.
  static constexpr float kOrderedUnitX = 0x1p80f, kOrderedUnitY = 0x1p40f;
  [[gnu::always_inline]] static void decode_in_e4m3_order(const std::byte* p, F (&out)[kOrderedVectors],
                                                          NanWatch& watch) {
    const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    watch.see(codes);
    const __m256i bits = _mm256_set1_epi16(static_cast<int16_t>(0x87F0)), high = _mm256_set1_epi32(-65536);
    const auto words = [&](__m256i v) { return _mm256_and_si256(_mm256_srai_epi16(v, 4), bits); };
    const __m256i odd = words(codes), even = words(_mm256_slli_epi16(codes, 8));
    out[3] = _mm256_castsi256_ps(_mm256_and_si256(odd, high));
    out[1] = _mm256_castsi256_ps(_mm256_slli_epi32(odd, 16));
    out[2] = _mm256_castsi256_ps(_mm256_and_si256(even, high));
    out[0] = _mm256_castsi256_ps(_mm256_slli_epi32(even, 16));
  }
  // Element 4 i + j comes to lane i of vector j.
  [[gnu::always_inline]] static void store_e4m3_order(float* p, const F (&v)[kOrderedVectors]) {
    const __m256i halves = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256d pairs[kOrderedVectors];  // lanes (j, 4 + j) for j = 0 .. 3
#pragma GCC unroll 4
    for (int i = 0; i < kOrderedVectors; ++i)
      pairs[i] = _mm256_castps_pd(_mm256_permutevar8x32_ps(v[i], halves));
    const auto put = [p](int j, __m256d first, __m256d second) {
      const F low = _mm256_castpd_ps(first), high = _mm256_castpd_ps(second);
      store(p + j * kLanes, _mm256_permute2f128_ps(low, high, 0x20));
      store(p + (j + 2) * kLanes, _mm256_permute2f128_ps(low, high, 0x31));
    };
    put(0, _mm256_unpacklo_pd(pairs[0], pairs[1]), _mm256_unpacklo_pd(pairs[2], pairs[3]));
    put(1, _mm256_unpackhi_pd(pairs[0], pairs[1]), _mm256_unpackhi_pd(pairs[2], pairs[3]));
  }

 private:
  static __m256i mask(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static __m128i load128(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static F widen_bf16(__m128i v) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
  }
  static __m256i bf16_bits(F v) {
    const __m256i u = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7FFF)), odd);
    const __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  }
  // Half precision bits of v / 256: the exponents of e4m3 read as those of F16, subnormals included; all bits
  // of the exponent set for NaN.
  static __m256i e4m3_as_f16(__m128i bytes) {
    // The sign lands in bit 15 and, extended, in bit 14.
    const __m256i shifted = _mm256_slli_epi16(_mm256_cvtepi8_epi16(bytes), 7);
    const __m256i f16 = _mm256_and_si256(shifted, _mm256_set1_epi16(static_cast<int16_t>(0xBFFF)));
    const __m256i magnitude = _mm256_and_si256(shifted, _mm256_set1_epi16(0x3FFF));
    return _mm256_or_si256(f16, _mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x3F80)));
  }
};

}  // namespace fathom::kernels::cpu
