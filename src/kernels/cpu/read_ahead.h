// Reading ahead of use.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/intrinsics.h"
#include "tensor/weight.h"

namespace fathom::kernels::cpu {

// Part of a stored matrix to be brought into the second-level cache, a few lines at a time, while something
// else is computed.
class ReadAhead {
 public:
  ReadAhead(const std::byte* at, int64_t stride, int64_t rows, int64_t bytes)
      : at_(at), per_row_((bytes + 63) / 64), to_next_row_(stride - per_row_ * 64), left_(rows * per_row_) {}
  // Lines that are left.
  int64_t lines() const { return left_; }
  // Asks for the next `count` lines.
  void ask(int64_t count) {
    for (; count > 0 && left_ > 0; --count, --left_) {
      _mm_prefetch(reinterpret_cast<const char*>(at_), _MM_HINT_T1);
      at_ += 64;
      if (++line_ == per_row_) line_ = 0, at_ += to_next_row_;
    }
  }

 private:
  const std::byte* at_;
  int64_t per_row_, to_next_row_, left_, line_ = 0;
};

// What follows columns [c, c + width) of rows [n, n + rows) in a walk over w by panels of `panel_rows` by
// `panel_columns` that ends at row `end`.
inline ReadAhead after_panel(const Weight& w, int64_t n, int64_t rows, int64_t c, int64_t width, int64_t end,
                             int64_t panel_rows, int64_t panel_columns) {
  const int64_t size = static_cast<int64_t>(size_of(w.dtype)), stride = w.cols * size;
  const int64_t left = c + width < w.cols ? w.cols - c - width : w.cols;
  const int64_t bytes = (left < panel_columns ? left : panel_columns) * size;
  if (c + width < w.cols) return {w.row(n) + (c + width) * size, stride, rows, bytes};
  const int64_t rest = end - n - rows;
  return {w.row(n + rows), stride, rest < panel_rows ? rest : panel_rows, bytes};
}

}  // namespace fathom::kernels::cpu
