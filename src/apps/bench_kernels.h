// fathom bench --kernels.
#pragma once

#include "apps/run_options.h"

namespace fathom::apps {

// Prints a table, or one JSON object. Without --isa all instruction sets of the machine. Returns the exit
// code: 1 when a kernel is further from the reference than its rounding explains.
int bench_kernels(const RunOptions& options, double seconds, bool json);

}  // namespace fathom::apps
