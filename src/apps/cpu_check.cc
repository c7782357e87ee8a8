// Runs before everything else, compiled for plain x86-64: the rest needs AVX2, FMA, BMI2 and F16C and would die of an
// illegal instruction on an older processor. Uses system calls alone, since even the C++ library's inline functions may
// have been compiled for the newer one.
#include <cpuid.h>
#include <unistd.h>

namespace {

bool new_enough() {
  unsigned a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  const unsigned needed = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C | bit_POPCNT;
  if ((c & needed) != needed) return false;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & 6) != 6) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  const unsigned needed7 = bit_AVX2 | bit_BMI | bit_BMI2;
  return (b & needed7) == needed7;
}

__attribute__((constructor(101))) void refuse_old_processors() {
  if (new_enough()) return;
  static const char text[] =
      "fathom: this processor lacks AVX2, FMA or BMI2; run it on an x86-64 processor of 2013 (Haswell) or later\n";
  const ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written;
  _exit(2);
}

}  // namespace
