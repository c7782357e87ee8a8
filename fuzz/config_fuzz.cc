// config.json: any bytes end in a configuration whose derived sizes are positive, or in an error of one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/config.h"
#include "model/rope.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fathom::model;
  const auto result = parse_config({reinterpret_cast<const char*>(data), size}, "config.json");
  if (!result) {
    if (result.error().line().size() >= 400) std::abort();
    return 0;
  }
  const Config& c = *result;
  if (c.hidden_size < 1 || c.latent_width() < 1 || c.topk_group > c.n_group) std::abort();
  if (rope_constants(c).frequencies.size() != static_cast<size_t>(c.qk_rope_head_dim / 2)) std::abort();
  return 0;
}
