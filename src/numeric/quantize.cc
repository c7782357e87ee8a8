#include "numeric/quantize.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cfloat>

namespace fathom {
namespace {

inline __m256i all(uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); }

// Lanes of 32 bits, each below 256, to eight bytes.
inline void store_bytes(__m256i lanes, e4m3* out) {
  const __m256i order = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  //
                                         0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m256i packed = _mm256_shuffle_epi8(lanes, order);
  const __m128i bytes =
      _mm_unpacklo_epi32(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), bytes);
}

// to_e4m3 of eight values.
inline __m256i e4m3_codes(__m256 value) {
  const __m256i bits = _mm256_castps_si256(value);
  const __m256i magnitude = _mm256_and_si256(bits, all(0x7FFFFFFF));
  const __m256i sign = _mm256_and_si256(_mm256_srli_epi32(bits, 24), all(0x80));
  // Normal: round the mantissa to three bits in place, then move the exponent's bias from 127 to 7.
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(magnitude, 20), all(1));
  const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(magnitude, all(0x7FFFF)), odd);
  __m256i normal = _mm256_sub_epi32(_mm256_srli_epi32(rounded, 20), all((127 - 7) << 3));
  normal = _mm256_min_epi32(normal, all(0x7E));
  // Subnormal: at 2^14 a float's last place is 2^-9, so the addition rounds to the units that the code
  // counts.
  const __m256 shifted = _mm256_add_ps(_mm256_castsi256_ps(magnitude), _mm256_set1_ps(0x1p14f));
  const __m256i units = _mm256_sub_epi32(_mm256_castps_si256(shifted), all(std::bit_cast<uint32_t>(0x1p14f)));
  const __m256i is_normal = _mm256_cmpgt_epi32(magnitude, all(std::bit_cast<uint32_t>(0x1p-6f) - 1));
  const __m256i is_nan = _mm256_cmpgt_epi32(magnitude, all(0x7F800000));
  __m256i code = _mm256_blendv_epi8(units, normal, is_normal);
  code = _mm256_blendv_epi8(code, all(0x7F), is_nan);
  return _mm256_or_si256(code, sign);
}

// Bits of the largest magnitude; NaN counts as larger than infinity.
uint32_t largest_magnitude(const float* in, int64_t stride, int64_t rows, int64_t cols) {
  __m256i top = _mm256_setzero_si256();
  uint32_t rest = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = in + r * stride;
    int64_t c = 0;
    for (; c + 8 <= cols; c += 8) {
      const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(row + c));
      top = _mm256_max_epu32(top, _mm256_and_si256(bits, all(0x7FFFFFFF)));
    }
    for (; c < cols; ++c) rest = std::max(rest, std::bit_cast<uint32_t>(row[c]) & 0x7FFFFFFF);
  }
  alignas(32) uint32_t lanes[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), top);
  return std::max(rest, *std::max_element(lanes, lanes + 8));
}

}  // namespace

void to_bf16_row(const float* in, int64_t count, bf16* out) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(in + i));
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), all(1));
    const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(bits, all(0x7FFF)), odd), 16);
    const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), all(0x40));
    const __m256i is_nan = _mm256_cmpgt_epi32(_mm256_and_si256(bits, all(0x7FFFFFFF)), all(0x7F800000));
    const __m256i halves = _mm256_blendv_epi8(rounded, quiet, is_nan);
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), packed);
  }
  for (; i < count; ++i) out[i] = to_bf16(in[i]);
}

void to_e4m3_row(const float* in, float scale, int64_t count, e4m3* out) {
  const __m256 divisor = _mm256_set1_ps(scale);
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    store_bytes(e4m3_codes(_mm256_div_ps(_mm256_loadu_ps(in + i), divisor)), out + i);
  for (; i < count; ++i) out[i] = to_e4m3(in[i] / scale);
}

float quantize_block(const float* in, int64_t stride, int64_t rows, int64_t cols, ScaleFormat format,
                     e4m3* out, int64_t out_stride) {
  const uint32_t bits = largest_magnitude(in, stride, rows, cols);
  float scale = 1;
  if (bits >= 0x7F800000) {
    scale = std::bit_cast<float>(bits);
  } else if (bits != 0) {
    scale = std::max(std::bit_cast<float>(bits) / kE4m3Max, FLT_MIN);
    if (format == ScaleFormat::ue8m0) scale = ceil_pow2(scale);
  }
  for (int64_t r = 0; r < rows; ++r) to_e4m3_row(in + r * stride, scale, cols, out + r * out_stride);
  return scale;
}

}  // namespace fathom
