#include "server/served_model.h"

#include <algorithm>

#include "server/errors.h"
#include "server/ids.h"
#include "server/request.h"

namespace fathom::server {

double deepseek_temperature(double api) { return api <= 1 ? 0.3 * api : api - 0.7; }

infer::SamplingParams sampling_of(const SamplingFields& f, const ServedModel& model,
                                  const ServiceOptions& options) {
  infer::SamplingParams out = model.sampling;
  if (options.deepseek_temperature)
    out.temperature = deepseek_temperature(f.temperature.value_or(1));
  else if (f.temperature)
    out.temperature = *f.temperature;
  if (f.top_p) out.top_p = *f.top_p;
  if (f.min_p) out.min_p = *f.min_p;
  if (f.top_k) out.top_k = std::clamp<int64_t>(*f.top_k, 0, model.engine.model().config.vocab_size);
  if (f.repetition_penalty) out.repetition_penalty = *f.repetition_penalty;
  // A nucleus of nothing still holds the most likely token.
  if (out.top_p == 0) out.temperature = 0;
  out.presence_penalty = f.presence_penalty;
  out.frequency_penalty = f.frequency_penalty;
  const int64_t vocab = model.engine.model().config.vocab_size;
  for (const auto& [token, value] : f.logit_bias) {
    if (token >= vocab)
      throw bad_value("logit_bias." + std::to_string(token),
                      "this model has " + std::to_string(vocab) + " tokens");
    out.logit_bias.push_back({static_cast<int32_t>(token), static_cast<float>(value)});
  }
  out.seed = f.seed ? static_cast<uint64_t>(*f.seed) : random_seed();
  return out;
}

}  // namespace fathom::server
