#include "infer/sampling_params.h"

#include <cmath>

namespace fathom::infer {
namespace {

struct Range {
  const char* key;
  double value, low, high;
};

}  // namespace

Status check_sampling(const SamplingParams& p, int64_t vocab, const std::string& where) {
  const Range ranges[] = {
      {"temperature", p.temperature, 0, 100},
      {"top_p", p.top_p, 0, 1},
      {"min_p", p.min_p, 0, 1},
      {"top_k", static_cast<double>(p.top_k), 0, 1e15},
      {"repetition_penalty", p.repetition_penalty, 0.01, 100},
      {"presence_penalty", p.presence_penalty, -100, 100},
      {"frequency_penalty", p.frequency_penalty, -100, 100},
  };
  for (const Range& r : ranges)
    if (!(r.value >= r.low && r.value <= r.high))
      return Error{where, r.key, "is out of range",
                   "use a number from " + std::to_string(r.low) + " to " + std::to_string(r.high)};
  for (const LogitBias& b : p.logit_bias) {
    if (b.token < 0 || b.token >= vocab)
      return Error{where, "logit_bias", "token " + std::to_string(b.token) + " does not exist",
                   "use ids below " + std::to_string(vocab)};
    if (!(std::abs(b.value) <= 1000))
      return Error{where, "logit_bias", "a value is out of range", "use numbers from -1000 to 1000"};
  }
  return Ok{};
}

}  // namespace fathom::infer
