// CPU time of the calling thread: other processes of the machine do not count.
#pragma once

#include <ctime>

namespace fathom::test {

class CpuClock {
 public:
  double seconds() const { return now() - start_; }

 private:
  static double now() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  }
  double start_ = now();
};

}  // namespace fathom::test
