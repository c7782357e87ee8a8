// Single elements of weights as floats: for references, norms and conversions; fast kernels load vectors.
#pragma once

#include <cstring>

#include "base/error.h"
#include "numeric/bf16.h"
#include "numeric/e4m3.h"
#include "numeric/f16.h"
#include "tensor/weight.h"

namespace fathom {

// Value of element `index` of an array of `dtype`, block scales not applied.
inline float load_element(const std::byte* data, DType dtype, int64_t index) {
  const std::byte* at = data + static_cast<size_t>(index) * size_of(dtype);
  const auto load = [at](auto value) {
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (dtype) {
    case DType::f32: return load(float{});
    case DType::bf16: return to_float(load(bf16{}));
    case DType::f16: return to_float(load(f16{}));
    case DType::e4m3: return to_float(load(e4m3{}));
    case DType::i32: return static_cast<float>(load(int32_t{}));
    case DType::i64: return static_cast<float>(load(int64_t{}));
  }
  return 0;
}

// Row r of w as FP32, scales applied: fp8 * scale rounded once, as a dequantized checkpoint would hold it.
void dequantize_row(const Weight& w, int64_t r, float* out);

// Throws Exception naming the tensor when a block scale of rows [first, first + count) is NaN or infinite. Cheap: one
// scale per 128x128 block. Every product calls it for the rows it is about to read.
void require_finite_scales(const Weight& w, int64_t first, int64_t count);

}  // namespace fathom
