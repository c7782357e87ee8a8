// Operands of the kernel benchmark.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "eval/kernel_bench.h"
#include "kernels/linear.h"
#include "kernels/mla_attention.h"
#include "tensor/buffer.h"
#include "tensor/context.h"

namespace fathom::eval {

// Bytes that are sound as FP8, BF16 and FP32 alike, larger than any cache.
class KernelMemory {
 public:
  explicit KernelMemory(int64_t bytes);
  std::span<const std::byte> bytes() const { return {buffer_.data(), buffer_.bytes()}; }
  const std::byte* data() const { return buffer_.data(); }

 private:
  Buffer buffer_;
};

// y = x w^T for as many matrices as the memory holds, one region each, as the layers of a model follow one
// another.
class LinearSweep {
 public:
  LinearSweep(const KernelMemory& memory, DType dtype, int64_t m, int64_t n, int64_t k,
              int64_t limit = INT64_MAX);
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
  HeadProducts(const KernelMemory& memory, int64_t m);
  void run(const Context& ctx) const;

 private:
  std::vector<float> x_, y_, scales_;
  std::vector<kernels::LinearTask> tasks_;
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
  kernels::PagedLatent cache_;
  std::vector<int32_t> table_, sequence_, position_;
  std::vector<float> q_, out_;
  kernels::MlaAttention op_;
};

// Compares products and attention of real widths with the reference.
void compare_with_reference(const Context& ctx, const std::function<void(const KernelDeviation&)>& tell);

// Calls report(name, body) for norms, gates and routing.
void small_operations(
    const Context& ctx,
    const std::function<void(const std::string& name, const std::function<void()>& body)>& report);

}  // namespace fathom::eval
