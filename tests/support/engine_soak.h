// Random company for an engine: requests that come, share beginnings, draft or not, are cancelled, and fill
// the cache.
#pragma once

namespace fathom::test {

// Runs for `seconds`, or as many as FATHOM_SOAK_SECONDS says, and expects (GoogleTest) every answer to be the one its request gets alone, memory to
// stay flat, nothing to hang and no block to be lost.
void soak_engine(double seconds);

}  // namespace fathom::test
