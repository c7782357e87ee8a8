// How much memory the latent cache may take when nobody says.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fathom::infer {

// Half of what is available beyond the weights, which want to stay in memory too; at least `one_sequence` if
// half of all that is available holds it, at most `all_sequences`. Bytes.
inline size_t cache_budget(size_t available, size_t weights, size_t one_sequence, size_t all_sequences) {
  const size_t beyond = (available - std::min(available, weights)) / 2;
  const size_t least = std::min(one_sequence, available / 2);
  return std::min(std::max(beyond, least), all_sequences);
}

}  // namespace fathom::infer
