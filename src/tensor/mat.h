// Borrowed row-major matrices: the arguments of operations. Cheap to copy; whoever made the memory keeps it alive.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/check.h"

namespace fathom {

template <class T>
struct Mat {
  T* data = nullptr;
  int64_t rows = 0, cols = 0;
  int64_t stride = 0;  // elements from one row to the next, at least cols

  Mat() = default;
  Mat(T* d, int64_t r, int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  Mat(T* d, int64_t r, int64_t c, int64_t s) : data(d), rows(r), cols(c), stride(s) {}
  // A Mat<float> passes where a Mat<const float> is wanted.
  template <class U>
    requires(std::is_same_v<const U, T> && !std::is_same_v<U, T>)
  Mat(const Mat<U>& other)  // NOLINT: implicit
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  T* row(int64_t r) const { return data + r * stride; }
  Mat rows_from(int64_t first, int64_t count) const {
    FATHOM_CHECK(first >= 0 && count >= 0 && first + count <= rows);
    return {data + first * stride, count, cols, stride};
  }
  Mat columns(int64_t first, int64_t count) const {
    FATHOM_CHECK(first >= 0 && count >= 0 && first + count <= cols);
    return {data + first, rows, count, stride};
  }
};

// One vector per row and head: [rows, heads, dim], dim contiguous, heads possibly interleaved with something else.
template <class T>
struct Heads {
  T* data = nullptr;
  int64_t rows = 0, heads = 0, dim = 0;
  int64_t row_stride = 0, head_stride = 0;

  Heads() = default;
  Heads(T* d, int64_t r, int64_t h, int64_t n, int64_t row_s, int64_t head_s)
      : data(d), rows(r), heads(h), dim(n), row_stride(row_s), head_stride(head_s) {}
  // Heads<float> pass where Heads<const float> are wanted.
  template <class U>
    requires(std::is_same_v<const U, T> && !std::is_same_v<U, T>)
  Heads(const Heads<U>& o)  // NOLINT: implicit
      : Heads(o.data, o.rows, o.heads, o.dim, o.row_stride, o.head_stride) {}

  T* at(int64_t row, int64_t head) const { return data + row * row_stride + head * head_stride; }
  Mat<T> head(int64_t h) const { return {data + h * head_stride, rows, dim, row_stride}; }
};

// Whether a result replaces what the output holds or is added to it (residual stream, gradients).
enum class Write : uint8_t { overwrite, accumulate };

}  // namespace fathom
