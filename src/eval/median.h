// Medians of measurements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace fathom::eval {

// The upper one of the two middle values when their number is even. REQUIRES: not empty.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace fathom::eval
