// Random operands for kernel tests, and bounds that follow from rounding alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "tensor/context.h"
#include "tensor/mat.h"
#include "tensor/weight.h"

namespace fathom::test {

// Owns a row-major matrix of floats.
struct Matrix {
  std::vector<float> values;
  int64_t rows = 0, cols = 0;

  Matrix() = default;
  Matrix(int64_t r, int64_t c, float fill = 0) : values(static_cast<size_t>(r * c), fill), rows(r), cols(c) {}
  Mat<float> mat() { return {values.data(), rows, cols}; }
  Mat<const float> view() const { return {values.data(), rows, cols}; }
};

// Standard normal values times `scale`.
Matrix random_matrix(int64_t rows, int64_t cols, uint64_t seed, float scale = 1);

// Owns a weight of any dtype as a file would hold it: `offset` bytes off alignment, with random block scales
// for FP8.
class StoredWeight {
 public:
  StoredWeight(int64_t rows, int64_t cols, DType dtype, uint64_t seed, int offset = 0);
  const Weight& whole() const { return weight_; }
  std::byte* scale_bytes() { return scales_.data() + 1; }

 private:
  std::vector<std::byte> bytes_, scales_;
  Weight weight_;
};

// Contexts of every backend arm that runs here: cpu in each ISA and mode.
std::vector<Context> cpu_contexts(ThreadPool& pool);
std::string name_of(const Context& ctx);

// Largest of |a - b| / bound over all elements, with the element for the message.
struct Deviation {
  double worst = 0;
  std::string where;
};
Deviation deviation(Mat<const float> a, Mat<const float> b, Mat<const float> bound);

bool same_bits(Mat<const float> a, Mat<const float> b);

}  // namespace fathom::test
