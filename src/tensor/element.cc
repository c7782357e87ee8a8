#include "tensor/element.h"

#include <cmath>
#include <string>

namespace fathom {

void dequantize_row(const Weight& w, int64_t r, float* out) {
  const std::byte* row = w.row(r);
  for (int64_t c = 0; c < w.cols; ++c) {
    const float v = load_element(row, w.dtype, c);
    out[c] = w.dtype == DType::e4m3 ? v * w.scale(r, c) : v;
  }
}

void require_finite_scales(const Weight& w, int64_t first, int64_t count) {
  if (w.dtype != DType::e4m3) return;
  for (int64_t r = first; r < first + count; r += kScaleBlock - (w.first_row + r) % kScaleBlock) {
    for (int64_t c = 0; c < w.cols; c += kScaleBlock) {
      if (std::isfinite(w.scale(r, c))) continue;
      throw Exception({std::string(w.name) + "_scale_inv", {}, "a scale of this tensor is NaN or infinite",
                       "the file is damaged: fetch it again (fathom info --check reads everything)"});
    }
  }
}

}  // namespace fathom
