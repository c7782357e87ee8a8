// Counts of durations by size, as Prometheus wants them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace fathom::server {

// Any thread; never blocks.
class Histogram {
 public:
  // Upper bounds in seconds; one more bucket takes the rest.
  static constexpr std::array kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                         0.5,    1.0,   2.5,    5.0,   10.0, 30.0,  60.0, 300.0};

  void observe(double seconds);
  // Appends the metric in Prometheus' text format.
  void write(std::string& out, std::string_view name, std::string_view help) const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<double> sum_{0};
};

}  // namespace fathom::server
