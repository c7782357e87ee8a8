// Operands of the kernel benchmark.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/linear.h"
#include "kernels/mla_attention.h"
#include "tensor/buffer.h"
#include "tensor/context.h"

namespace fathom::bench {

using namespace kernels;  // NOLINT: a program of its own

// Bytes that are sound as FP8, BF16 and FP32 alike, larger than any cache.
class Memory {
 public:
  explicit Memory(int64_t bytes);
  int64_t bytes() const { return static_cast<int64_t>(buffer_.bytes()); }
  const std::byte* data() const { return buffer_.data(); }
  // Reads everything with plain vector loads on all threads: the machine's read bandwidth.
  void read_all(const Context& ctx) const;

 private:
  Buffer buffer_;
};

// y = x w^T for as many matrices as the memory holds, one region each, as the layers of a model follow one
// another.
class LinearSweep {
 public:
  LinearSweep(const Memory& memory, DType dtype, int64_t m, int64_t n, int64_t k, int64_t limit = INT64_MAX);
  void run(const Context& ctx) const;
  int64_t bytes() const {
    return static_cast<int64_t>(weights_.size()) * static_cast<int64_t>(weights_[0].bytes());
  }

 private:
  std::vector<Weight> weights_;
  std::vector<float> scales_;
  std::vector<float> x_;
  mutable std::vector<float> y_;
  int64_t m_;
};

// The absorption of W_UK: 16 heads, each [m, 128] times a [128, 512] slice of kv_b.
class HeadProducts {
 public:
  HeadProducts(const Memory& memory, int64_t m);
  void run(const Context& ctx) const;

 private:
  std::vector<float> x_, y_, scales_;
  std::vector<LinearTask> tasks_;
};

class AttentionCase {
 public:
  AttentionCase(int64_t rows, int64_t keys, int64_t heads, int64_t first_position);
  void run(const Context& ctx);
  int64_t bytes() const { return static_cast<int64_t>(cache_bytes_.bytes()); }
  double flop() const;
  const std::vector<float>& out() const { return out_; }

 private:
  int64_t heads_;
  Buffer cache_bytes_;
  PagedLatent cache_;
  std::vector<int32_t> table_, sequence_, position_;
  std::vector<float> q_, out_;
  MlaAttention op_;
};

// Compares products of real widths with the reference; prints the largest deviation in units of rounding
// noise.
void compare_with_reference(const Context& ctx);

using Report = std::function<void(const std::string& name, const std::function<void()>& body)>;
void small_operations(const Context& ctx, const Report& report);

}  // namespace fathom::bench
