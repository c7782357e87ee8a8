// `fathom generate --jsonl`: many requests through one engine.
#pragma once

#include "apps/loaded_model.h"
#include "infer/engine.h"

namespace fathom::apps {

// Answers every line of standard input with one line on standard output, in order; a bad line with {"error":
// ...}. `concurrency` requests run at once. Returns the exit code: 2 when lines came and none ran, 130 after
// Ctrl-C.
int generate_lines(const LoadedModel& model, infer::Engine& engine, int64_t concurrency);

}  // namespace fathom::apps
