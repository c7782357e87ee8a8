// Speed of the CPU kernels on this machine, each beside the limit it runs into.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "tensor/isa.h"

namespace fathom::eval {

// How far a kernel is from the reference at real widths. Above `bound` it is wrong.
struct KernelDeviation {
  Isa isa;
  std::string name, unit;  // what `value` is a multiple of
  double value = 0, bound = 0;
};

struct KernelFigure {
  Isa isa;
  std::string name;
  double seconds = 0;                         // median or, without a limit beside it, best
  double flops_per_second = 0;                // 0: does not apply
  double peak_share = 0;                      // of the matrix peak, measured before
  double bytes_per_second = 0;                // 0: does not apply
  double bandwidth = 0, bandwidth_share = 0;  // medians of five alternations
  double yardstick = 0, yardstick_share = 0;  // oneDNN's operations a second, alternating; 0: none
};

struct KernelListener {
  std::function<void(const KernelDeviation&)> deviation;
  std::function<void(const KernelFigure&)> figure;
  std::function<void(const std::string&)> note;  // about the yardstick
};

// For each instruction set in turn; `seconds` are spent on each product with many rows. Products with few
// rows read a gigabyte of weights, those of the layers of a model one after another.
void kernel_bench(ThreadPool& pool, const std::vector<Isa>& isas, double seconds,
                  const KernelListener& listener);

}  // namespace fathom::eval
