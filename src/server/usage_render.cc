#include "server/usage_render.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace fathom::server {
namespace {

OrderedJson bytes_json(std::string_view bytes) {
  OrderedJson out = OrderedJson::array();
  for (const char c : bytes) out.push_back(static_cast<unsigned char>(c));
  return out;
}

OrderedJson entry(const text::Tokenizer& tokenizer, const infer::TokenLogprob& p) {
  return {{"token", token_text(tokenizer, p.token)},
          {"logprob", finite_logprob(p.logprob)},
          {"bytes", bytes_json(tokenizer.token_bytes(p.token))}};
}

double rounded(double seconds) { return std::round(seconds * 1e6) / 1e6; }

}  // namespace

OrderedJson usage_json(const AnswerUsage& u) {
  return {{"prompt_tokens", u.prompt_tokens},
          {"completion_tokens", u.completion_tokens},
          {"total_tokens", u.prompt_tokens + u.completion_tokens},
          {"prompt_cache_hit_tokens", u.cached_tokens},
          {"prompt_cache_miss_tokens", u.prompt_tokens - u.cached_tokens},
          {"prompt_tokens_details", {{"cached_tokens", u.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", u.reasoning_tokens}}}};
}

OrderedJson extension_json(const AnswerUsage& u) {
  OrderedJson mtp;
  if (u.mtp) mtp = {{"drafted", u.drafted}, {"accepted", u.accepted}};
  return {{"timing",
           {{"queue_s", rounded(u.queue_s)},
            {"prefill_s", rounded(u.prefill_s)},
            {"decode_s", rounded(u.decode_s)}}},
          {"mtp", std::move(mtp)}};
}

std::string chunk_tail(const AnswerUsage* total, OrderedJson* experts) {
  std::string out;
  OrderedJson extension;
  if (total != nullptr) {
    out += ",\"usage\":" + json_text(usage_json(*total));
    extension = extension_json(*total);
  }
  if (experts != nullptr && !experts->empty()) {
    extension["experts"] = std::move(*experts);
    *experts = OrderedJson::array();
  }
  if (!extension.is_null()) out += ",\"fathom\":" + json_text(extension);
  return out;
}

double finite_logprob(float logprob) {
  return std::isfinite(logprob) ? std::max(-9999.0, static_cast<double>(logprob)) : -9999.0;
}

std::string token_text(const text::Tokenizer& tokenizer, int32_t id) {
  return utf8::repaired(tokenizer.token_bytes(id));
}

OrderedJson logprob_json(const text::Tokenizer& tokenizer, const infer::Logprobs& logprobs) {
  OrderedJson out = entry(tokenizer, logprobs.chosen);
  OrderedJson top = OrderedJson::array();
  for (const infer::TokenLogprob& p : logprobs.top) top.push_back(entry(tokenizer, p));
  out["top_logprobs"] = std::move(top);
  return out;
}

OrderedJson experts_json(std::span<const int32_t> experts, int64_t per_layer) {
  OrderedJson layers = OrderedJson::array();
  for (size_t at = 0; at < experts.size(); at += static_cast<size_t>(per_layer)) {
    OrderedJson layer = OrderedJson::array();
    for (int64_t k = 0; k < per_layer; ++k) layer.push_back(experts[at + static_cast<size_t>(k)]);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace fathom::server
