// oneDNN as a yardstick for our products. Never used to compute answers: its rows depend on how many there
// are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fathom::eval {

// One BF16 product on oneDNN, loaded from the system when it is asked for.
class OneDnnProduct {
 public:
  // y [m, n] FP32 = x [m, k] w [n, k]^T, the weights in the layout that oneDNN prefers, on `threads` threads.
  // nullptr when the build knew no oneDNN or the system has none; `why_not` then says so.
  static std::unique_ptr<OneDnnProduct> create(int64_t m, int64_t n, int64_t k, int threads,
                                               std::string& why_not);
  virtual ~OneDnnProduct() = default;

  virtual void run() = 0;
  virtual std::string version() const = 0;
  // Element (row, column) of the result, for who doubts that it computed: x and w are filled by x_value and
  // w_value.
  virtual float result(int64_t row, int64_t column) const = 0;
  static float x_value(int64_t row, int64_t column) {
    return static_cast<float>((row * 7 + column * 3) % 16) / 16 - 0.5f;
  }
  static float w_value(int64_t row, int64_t column) {
    return static_cast<float>((row * 5 + column * 11) % 8) / 8 - 0.375f;
  }
};

}  // namespace fathom::eval
