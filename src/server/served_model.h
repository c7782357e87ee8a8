// The model that a server offers, and what its operator decided.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infer/engine.h"
#include "infer/generation_config.h"
#include "server/grammars.h"
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace fathom::server {

// Constant while the server runs. What is referred to belongs to the caller.
struct ServedModel {
  infer::Engine& engine;
  const text::Tokenizer& tokenizer;
  Grammars& grammars;
  std::optional<text::ChatFormat> format;  // absent: raw completions only
  infer::SamplingParams sampling;          // of requests that name none
  std::vector<int32_t> stop_ids;
  std::string name;         // of the directory
  std::string fingerprint;  // "fp_...": changes with whatever changes answers
  int64_t created = 0;      // seconds since 1970
  bool mtp = false;

  text::ThinkingSupport thinking() const {
    return format ? text::thinking_support(*format) : text::ThinkingSupport{};
  }
};

struct ServiceOptions {
  std::vector<std::string> api_keys;      // empty: everybody may ask
  bool check_host = true;                 // on loopback: the Host header must name it
  std::vector<std::string> cors_origins;  // "*": all
  bool deepseek_temperature = false;      // map temperatures as DeepSeek's API does
  int64_t default_max_tokens = 4096;
  int64_t max_thinking_tokens = -1;  // of requests that name no cap; -1: none
  int64_t max_queue = 1024;          // requests that may wait; beyond it 429
  std::chrono::milliseconds keep_alive{5'000};
};

// Sampling as a request in DeepSeek's scale of temperature means it: 0.3 T up to 1, T - 0.7 above.
double deepseek_temperature(double api);

// The engine's parameters for a request's fields; throws Refusal.
struct SamplingFields;
infer::SamplingParams sampling_of(const SamplingFields& fields, const ServedModel& model,
                                  const ServiceOptions& options);

}  // namespace fathom::server
