#include "apps/sampling_options.h"

namespace fathom::apps {

infer::SamplingParams SamplingOptions::over(infer::SamplingParams s) const {
  s.temperature = temperature.value_or(s.temperature);
  s.top_p = top_p.value_or(s.top_p);
  s.min_p = min_p.value_or(s.min_p);
  s.top_k = top_k.value_or(s.top_k);
  s.repetition_penalty = repetition_penalty.value_or(s.repetition_penalty);
  s.presence_penalty = presence_penalty;
  s.frequency_penalty = frequency_penalty;
  return s;
}

void add_sampling_options(CLI::App& c, SamplingOptions& o) {
  c.add_option("--temperature", o.temperature, "0: the most likely token (default: generation_config.json)");
  c.add_option("--top-k", o.top_k, "draw from the K most likely tokens; 0: all");
  c.add_option("--top-p", o.top_p, "draw from the fewest tokens that reach this probability");
  c.add_option("--min-p", o.min_p, "draw from tokens with this share of the best one's probability");
  c.add_option("--repetition-penalty", o.repetition_penalty, "above 1: avoid what prompt and answer hold");
  c.add_option("--presence-penalty", o.presence_penalty, "above 0: avoid what the answer holds");
  c.add_option("--frequency-penalty", o.frequency_penalty, "above 0: the same for each time it holds it");
}

}  // namespace fathom::apps
