#include "tests/support/kernel_data.h"

#include <cmath>
#include <cstring>

#include "numeric/bf16.h"
#include "numeric/e4m3.h"
#include "tensor/element.h"

namespace fathom::test {
namespace {

uint16_t f16_bits(float v) { return static_cast<uint16_t>(_cvtss_sh(v, 0)); }

void put(std::byte* at, DType dtype, float v) {
  const auto copy = [at](auto bits) { std::memcpy(at, &bits, sizeof bits); };
  switch (dtype) {
    case DType::f32:
      return copy(v);
    case DType::bf16:
      return copy(to_bf16(v).bits);
    case DType::f16:
      return copy(f16_bits(v));
    case DType::e4m3:
      return copy(to_e4m3(v * 100).bits);  // spread over normal and subnormal codes
    default:
      FATHOM_CHECK(false);
  }
}

}  // namespace

Matrix random_matrix(int64_t rows, int64_t cols, uint64_t seed, float scale) {
  Matrix m(rows, cols);
  for (size_t i = 0; i < m.values.size(); ++i) m.values[i] = scale * normal_pair(seed, i, 0)[0];
  return m;
}

StoredWeight::StoredWeight(int64_t rows, int64_t cols, DType dtype, uint64_t seed, int offset) {
  const size_t count = static_cast<size_t>(rows * cols);
  bytes_.resize(count * size_of(dtype) + static_cast<size_t>(offset));
  std::byte* data = bytes_.data() + offset;
  for (size_t i = 0; i < count; ++i) put(data + i * size_of(dtype), dtype, normal_pair(seed, i, 1)[0]);
  weight_.data = data;
  weight_.dtype = dtype;
  weight_.rows = rows;
  weight_.cols = cols;
  weight_.name = "test.weight";
  if (dtype != DType::e4m3) return;
  weight_.scale_cols = scale_blocks(cols);
  const size_t blocks = static_cast<size_t>(scale_blocks(rows) * weight_.scale_cols);
  scales_.resize(blocks * sizeof(float) + 1);
  for (size_t b = 0; b < blocks; ++b) {
    const float scale = 0.01f * (1.0f + static_cast<float>(uniform_open(philox(seed, b, 2)[0])));
    std::memcpy(scale_bytes() + b * sizeof(float), &scale, sizeof scale);
  }
  weight_.scales = scale_bytes();
}

std::vector<Context> cpu_contexts(ThreadPool& pool) {
  std::vector<Context> all;
  for (Isa isa : available_isas())
    for (Mode mode : {Mode::faithful, Mode::fast}) all.push_back({Backend::cpu, mode, isa, &pool});
  return all;
}

std::string name_of(const Context& ctx) {
  return std::string(name_of(ctx.isa)) + (ctx.mode == Mode::fast ? " fast" : " faithful");
}

Deviation deviation(Mat<const float> a, Mat<const float> b, Mat<const float> bound) {
  Deviation d;
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < a.cols; ++c) {
      const double difference = std::fabs(static_cast<double>(a.row(r)[c]) - b.row(r)[c]);
      const double share = difference == 0 ? 0 : difference / bound.row(r)[c];
      if (share <= d.worst) continue;  // false for NaN, which is thus reported
      d.worst = std::isnan(share) ? INFINITY : share;
      d.where = "[" + std::to_string(r) + ", " + std::to_string(c) + "]: " + std::to_string(a.row(r)[c]) +
                " against " + std::to_string(b.row(r)[c]);
    }
  }
  return d;
}

bool same_bits(Mat<const float> a, Mat<const float> b) {
  if (a.rows != b.rows || a.cols != b.cols) return false;
  for (int64_t r = 0; r < a.rows; ++r)
    if (std::memcmp(a.row(r), b.row(r), static_cast<size_t>(a.cols) * sizeof(float)) != 0) return false;
  return true;
}

}  // namespace fathom::test
