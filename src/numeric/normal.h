// Normal numbers in bulk: random weights at the speed of a disk.
#pragma once

#include <cstdint>
#include <vector>

namespace fathom {

// Element e of the stream (key, stream) is the normal quantile of a 16-bit uniform from Philox: 64 elements
// come from the counters 8b .. 8b + 7, b = e / 64, where element 8j + l of them is half j % 2 (the low one
// first) of word j / 2 of counter 8b + l. So a value depends on (key, stream, e) alone. The tails end at 4.3
// standard deviations. Immutable: any number of threads may use one.
class NormalSource {
 public:
  NormalSource();  // computes the 65,536 quantiles: some milliseconds

  // out[i] = deviation * element (first + i), i < count.
  void fill(uint64_t key, uint64_t stream, uint64_t first, int64_t count, float deviation, float* out) const;

 private:
  void fill_group(uint64_t key, uint64_t stream, uint64_t group, float deviation, float* out) const;
  std::vector<float> quantiles_;
};

}  // namespace fathom
