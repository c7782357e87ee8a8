// A parameter matrix where it lies in its file: [rows, cols] row-major in the file's dtype, with block scales for FP8.
//
// Pointers may be unaligned, since safetensors promises no alignment: kernels load through memcpy or unaligned loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "numeric/scaling.h"
#include "tensor/dtype.h"

namespace fathom {

struct Weight {
  const std::byte* data = nullptr;
  DType dtype = DType::f32;  // f32, bf16, f16 or e4m3
  int64_t rows = 0, cols = 0;
  // e4m3 only: F32 scales, one per 128x128 block of the tensor that this view is cut from; value = fp8 * scale.
  const std::byte* scales = nullptr;
  int64_t scale_cols = 0;   // blocks per row of the scale grid
  int64_t first_row = 0;    // row of the whole tensor at which this view begins
  std::string_view name;    // the tensor's name in its file, for errors; lives as long as the model

  explicit operator bool() const { return data != nullptr; }
  const std::byte* row(int64_t r) const { return data + static_cast<size_t>(r * cols) * size_of(dtype); }
  // Scale of the block that holds element (r, c) of this view.
  float scale(int64_t r, int64_t c) const {
    const int64_t at = (first_row + r) / kScaleBlock * scale_cols + c / kScaleBlock;
    float value;
    std::memcpy(&value, scales + static_cast<size_t>(at) * sizeof(float), sizeof value);
    return value;
  }
  Weight rows_from(int64_t first, int64_t count) const {
    FATHOM_CHECK(first >= 0 && count >= 0 && first + count <= rows);
    Weight view = *this;
    view.data = row(first);
    view.rows = count;
    view.first_row += first;
    return view;
  }
  size_t bytes() const { return static_cast<size_t>(rows * cols) * size_of(dtype); }
};

}  // namespace fathom
