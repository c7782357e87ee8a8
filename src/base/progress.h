// A progress bar on the terminal for work of more than two seconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace fathom {

enum class ProgressUnit { bytes, items };

// The text of the bar, at most 78 columns of ASCII: share, amounts, rate and time left. `seconds` is how long
// it took to come from 0 to `done`. An unknown total is 0.
std::string progress_line(const std::string& what, uint64_t done, uint64_t total, double seconds,
                          ProgressUnit unit);

// "16.1 GB", "512 B": decimal multiples, three digits.
std::string bytes_text(double bytes);

// Draws on stderr when that is a terminal, ten times a second at most, and clears its line at the end. It has
// no thread of its own: add() draws. Any thread may call add().
class Progress {
 public:
  Progress(std::string what, uint64_t total, ProgressUnit unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(uint64_t amount);

 private:
  void draw(double seconds);

  const std::string what_;
  const uint64_t total_;
  const ProgressUnit unit_;
  const bool terminal_;
  Stopwatch clock_;
  std::atomic<uint64_t> done_{0};
  std::mutex mutex_;
  double drawn_at_ = 0;
  bool visible_ = false;
};

}  // namespace fathom
