// Vectors of sixteen floats. Include between target_avx512_begin.h and target_end.h.
#pragma once

#include "kernels/cpu/e4m3_tables.h"
#include "kernels/cpu/intrinsics.h"
#include "tensor/dtype.h"

namespace fathom::kernels::cpu {

// As struct Avx2 describes.
struct Avx512 {
  using F = __m512;
  static constexpr int64_t kLanes = 16;
  static constexpr int kStepVectors = 4;
  static constexpr int64_t kStep = kStepVectors * kLanes;
  static constexpr int kOrderedVectors = kStepVectors;
  static constexpr int64_t kOrderedStep = kStep;
  static constexpr int kTileRows = 6;
  static constexpr int kDirectTile = 6;
  static constexpr int kHeadTile = 6;
  static constexpr bool kReloads = false;

  static F zero() { return _mm512_setzero_ps(); }
  static F set1(float v) { return _mm512_set1_ps(v); }
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F load_n(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  static void store_n(float* p, F v, int64_t n) { _mm512_mask_storeu_ps(p, mask(n), v); }
  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F round_even(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static F abs(F a) { return _mm512_abs_ps(a); }
  static F pow2(F n) {
    const __m512i e = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
  }
  static F first_n(F v, int64_t n) { return _mm512_maskz_mov_ps(mask(n), v); }
  static F unless_less(F a, F b, F v) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ), v);
  }

  // Pairs (l, l + 8), (l, l + 4), (l, l + 2), (l, l + 1) in this order.
  static float sum(F v) {
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 a = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    const __m128 b = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
  }
  static __m128 sum4(F a, F b, F c, F d) {
    const F ab = add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    const F cd = add(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xEE));
    const F quarters =
        add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));  // a b c d
    const F pairs = add(quarters, _mm512_permute_ps(quarters, 0x4E));
    const F all = add(pairs, _mm512_permute_ps(pairs, 0xB1));
    return _mm512_castps512_ps128(
        _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), all));
  }
  static float largest(F v) {
    const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 a = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    const __m128 b = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
  }
  struct Squares {
    __m512d low, high;
    Squares()
        : low(_mm512_setzero_pd()),
          high(_mm512_setzero_pd()) {}  // written out: an implied one lacks the target
    void add(F v) {
      const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(v)),
                    b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
      low = _mm512_fmadd_pd(a, a, low);
      high = _mm512_fmadd_pd(b, b, high);
    }
    double total() const {
      double lane[8];
      _mm512_storeu_pd(lane, _mm512_add_pd(low, high));
      return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    }
  };
  static F swap_pairs(F v) { return _mm512_permute_ps(v, 0xB1); }
  static F double_each(const float* p) {
    const __m512i index = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(index, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
  }
  static F negate_even(F v) { return _mm512_mask_xor_ps(v, 0x5555, v, set1(-0.0f)); }
  static F round_e4m3(F v) {
    const F sign = _mm512_and_ps(v, set1(-0.0f));
    const F a = min(set1(448.0f), abs(v));
    const F spacing = set1(0x1p14f);
    const F subnormal = sub(add(a, spacing), spacing);
    const __m512i u = _mm512_castps_si512(a);
    const __m512i odd = _mm512_and_epi32(_mm512_srli_epi32(u, 20), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7FFFF)), odd);
    const F normal = _mm512_castsi512_ps(_mm512_and_epi32(rounded, _mm512_set1_epi32(~0xFFFFF)));
    const __mmask16 small = _mm512_cmp_ps_mask(a, set1(0x1p-6f), _CMP_LT_OQ);
    return _mm512_or_ps(sign, _mm512_mask_mov_ps(normal, small, subnormal));
  }

  static F round_bf16(F v) { return _mm512_castsi512_ps(_mm512_slli_epi32(bf16_bits(v), 16)); }
  static void store_bf16(std::byte* p, F v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(bf16_bits(v)));
  }

  static constexpr float kE4m3Unit = 1;
  template <DType D>
  [[gnu::always_inline]] static void decode(const std::byte* p, F (&out)[kStepVectors]) {
    if constexpr (D == DType::f32) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) out[i] = load(reinterpret_cast<const float*>(p) + 16 * i);
    } else if constexpr (D == DType::bf16) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        out[i] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load256(p + 32 * i)), 16));
    } else if constexpr (D == DType::f16) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) out[i] = _mm512_cvtph_ps(load256(p + 32 * i));
    } else {
      static_assert(D == DType::e4m3);
      const __m512i order = _mm512_load_si512(kE4m3Order.data());
      decode_e4m3(_mm512_permutexvar_epi8(order, _mm512_loadu_si512(p)), out);
    }
  }
  // kStep FP8 elements in the order that decoding leaves, which is cheaper, and x in that order. NaN comes
  // out of the tables.
  struct NanWatch {
    static constexpr bool found() { return false; }
  };
  static constexpr float kOrderedUnitX = 1, kOrderedUnitY = 1;
  [[gnu::always_inline]] static void decode_in_e4m3_order(const std::byte* p, F (&out)[kStepVectors],
                                                          NanWatch& /*watch*/) {
    decode_e4m3(_mm512_loadu_si512(p), out);
  }
  [[gnu::always_inline]] static void store_e4m3_order(float* p, const F (&v)[kStepVectors]) {
    // In each vector elements 0 2 4 6, 1 3 5 7, 8 10 12 14, 9 11 13 15; then quarter i of vector j becomes
    // quarter j of vector i.
    const __m512i index = _mm512_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);
    F t[kStepVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kStepVectors; ++i) t[i] = _mm512_permutexvar_ps(index, v[i]);
    const F a = _mm512_shuffle_f32x4(t[0], t[1], 0x44), b = _mm512_shuffle_f32x4(t[2], t[3], 0x44);
    const F c = _mm512_shuffle_f32x4(t[0], t[1], 0xEE), d = _mm512_shuffle_f32x4(t[2], t[3], 0xEE);
    store(p, _mm512_shuffle_f32x4(a, b, 0x88));
    store(p + 16, _mm512_shuffle_f32x4(a, b, 0xDD));
    store(p + 32, _mm512_shuffle_f32x4(c, d, 0x88));
    store(p + 48, _mm512_shuffle_f32x4(c, d, 0xDD));
  }

 private:
  static __mmask16 mask(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
  static __m256i load256(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __m512i bf16_bits(F v) {
    const __m512i u = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_epi32(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7FFF)), odd);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_srli_epi32(_mm512_mask_or_epi32(rounded, nan, u, _mm512_set1_epi32(0x400000)), 16);
  }

  // The two bytes of the bfloat16 of |v| stand in tables of 128 entries. Interleaving them and splitting even
  // from odd words scatters the elements, unless the bytes came in the inverse order.
  [[gnu::always_inline]] static void decode_e4m3(__m512i b, F (&out)[kStepVectors]) {
    const __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(kE4m3High.data()), b,
                                                  _mm512_load_si512(kE4m3High.data() + 64));
    const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(kE4m3Low.data()), b,
                                                 _mm512_load_si512(kE4m3Low.data() + 64));
    // high | (b & 0x80)
    const __m512i signed_high =
        _mm512_ternarylogic_epi32(high, b, _mm512_set1_epi8(static_cast<char>(0x80)), 0xF8);
    const __m512i first = _mm512_unpacklo_epi8(low, signed_high);
    const __m512i second = _mm512_unpackhi_epi8(low, signed_high);
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000));
    out[0] = _mm512_castsi512_ps(_mm512_slli_epi32(first, 16));
    out[1] = _mm512_castsi512_ps(_mm512_and_si512(first, upper));
    out[2] = _mm512_castsi512_ps(_mm512_slli_epi32(second, 16));
    out[3] = _mm512_castsi512_ps(_mm512_and_si512(second, upper));
  }
};

}  // namespace fathom::kernels::cpu
