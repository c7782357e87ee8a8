// fathom bench --mtp: what the MTP module's drafts bring.
#pragma once

#include "apps/loaded_model.h"

namespace fathom::apps {

// Prints a table, or one JSON object. Returns the exit code: 1 when answers changed with drafts. Throws
// Exception.
int bench_mtp(const EngineArguments& arguments, int pairs, bool json);

}  // namespace fathom::apps
