// Random company for an engine: requests that come, share beginnings, draft or not, are cancelled, and fill
// the cache.
#pragma once

namespace fathom::test {

// FATHOM_SOAK_SECONDS of the environment; `otherwise` where it is not set.
double soak_seconds(double otherwise);

// Runs for `seconds` and expects (GoogleTest) every answer to be the one its request gets alone, memory to
// stay flat, nothing to hang and no block to be lost.
void soak_engine(double seconds);

}  // namespace fathom::test
