#include "model/residency.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string_view>

namespace fathom::model {
namespace {

int64_t bytes_of(const Weight& w) {
  const int64_t scales = w.scales == nullptr ? 0 : scale_blocks(w.rows) * w.scale_cols * static_cast<int64_t>(sizeof(float));
  return static_cast<int64_t>(w.bytes()) + scales;
}

bool is_expert(std::string_view name) { return name.find(".mlp.experts.") != std::string_view::npos; }

// Calls advise(first page, bytes) for the pages of a range.
template <class Advise>
bool on_pages(const std::byte* data, size_t bytes, Advise advise) {
  static const uintptr_t page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data) + bytes;
  return advise(reinterpret_cast<void*>(begin), end - begin) == 0;
}

// Every parameter that is not a routed expert nor the embedding table.
template <class Visit>
void for_each_dense(const Model& model, Visit visit) {
  Parameters parameters = model.parameters;
  const std::string mtp = "model.layers." + std::to_string(model.config.num_hidden_layers) + ".";
  for_each_parameter(model.config, parameters, [&](const ParameterSpec& spec, Weight& w) {
    const bool embedding = spec.name == "model.embed_tokens.weight";
    if (w && !is_expert(spec.name) && !embedding && !spec.name.starts_with(mtp)) visit(w);
  });
}

}  // namespace

WeightBytes weight_bytes(const Model& model) {
  WeightBytes sum;
  const Config& c = model.config;
  Parameters parameters = model.parameters;
  for_each_parameter(c, parameters, [&](const ParameterSpec& spec, Weight& w) {
    if (!w) return;
    constexpr std::string_view kLayers = "model.layers.";
    const bool layer = spec.name.starts_with(kLayers);
    if (layer && std::stoll(spec.name.substr(kLayers.size())) >= c.num_hidden_layers)
      sum.mtp += bytes_of(w);
    else if (is_expert(spec.name))
      sum.experts += bytes_of(w);
    else if (spec.name == "model.embed_tokens.weight")
      sum.embedding += bytes_of(w);
    else
      sum.dense += bytes_of(w);
  });
  if (c.n_routed_experts > 0) sum.experts_token = sum.experts / c.n_routed_experts * c.num_experts_per_tok;
  return sum;
}

Residency::Residency(const Model& model, uint64_t budget)
    : model_(model), budget_(budget), streams_(static_cast<uint64_t>(weight_bytes(model).total()) > budget) {}

Residency::~Residency() {
  if (locked_ == 0) return;
  for_each_dense(model_, [](const Weight& w) { on_pages(w.data, w.bytes(), ::munlock); });
}

uint64_t Residency::keep_dense() {
  // Locking more than half of the budget would leave the experts no room to be read into.
  if (!streams_ || static_cast<uint64_t>(weight_bytes(model_).dense) > budget_ / 2) return 0;
  for_each_dense(model_, [&](const Weight& w) {
    const auto lock = [](void* at, size_t bytes) { return ::mlock2(at, bytes, MLOCK_ONFAULT); };
    if (on_pages(w.data, w.bytes(), lock)) locked_ += w.bytes();
  });
  return locked_;
}

void Residency::want(const FfnParameters& expert) const {
  if (!streams_) return;
  for (const Weight* w : {&expert.gate, &expert.up, &expert.down})
    on_pages(w->data, w->bytes(), [](void* at, size_t bytes) { return ::madvise(at, bytes, MADV_WILLNEED); });
}

}  // namespace fathom::model
