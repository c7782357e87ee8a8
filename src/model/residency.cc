#include "model/residency.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace fathom::model {
namespace {

size_t scale_bytes(const Weight& w) {
  return w.scales == nullptr ? 0 : static_cast<size_t>(scale_blocks(w.rows) * w.scale_cols) * sizeof(float);
}
int64_t bytes_of(const Weight& w) { return static_cast<int64_t>(w.bytes()); }

bool is_expert(std::string_view name) { return name.find(".mlp.experts.") != std::string_view::npos; }
bool is_embedding(std::string_view name) { return name == "model.embed_tokens.weight"; }

// Calls advise(first page, bytes) for the pages of a range. Returns whether the system agreed.
template <class Advise>
bool on_pages(const std::byte* data, size_t bytes, Advise advise) {
  static const uintptr_t page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data) + bytes;
  return advise(reinterpret_cast<void*>(begin), end - begin) == 0;
}

// Calls visit for every parameter that the files hold.
template <class Visit>
void for_each_present(const Model& model, Visit visit) {
  Parameters parameters = model.parameters;
  for_each_parameter(model.config, parameters, [&](const ParameterSpec& spec, Weight& w) {
    if (w) visit(std::string_view(spec.name), w);
  });
}

}  // namespace

WeightBytes weight_bytes(const Model& model) {
  WeightBytes sum;
  const Config& c = model.config;
  for_each_present(model, [&](std::string_view name, const Weight& w) {
    constexpr std::string_view kLayers = "model.layers.";
    const bool layer = name.starts_with(kLayers);
    const auto scales = static_cast<int64_t>(scale_bytes(w));
    if (layer && std::stoll(std::string(name.substr(kLayers.size()))) >= c.num_hidden_layers)
      sum.mtp += bytes_of(w) + scales;
    else if (is_expert(name))
      sum.experts += bytes_of(w) + scales, sum.expert_scales += scales;
    else if (is_embedding(name))
      sum.embedding += bytes_of(w);
    else
      sum.dense += bytes_of(w) + scales;
  });
  if (c.n_routed_experts > 0) sum.experts_token = sum.experts / c.n_routed_experts * c.num_experts_per_tok;
  return sum;
}

ResidencyPlan plan_residency(const Model& model, uint64_t budget) {
  const WeightBytes bytes = weight_bytes(model);
  ResidencyPlan plan;
  const size_t expert = ExpertCache::expert_bytes(model);
  plan.streams = expert > 0 && static_cast<uint64_t>(bytes.total()) > budget;
  if (!plan.streams) return plan;
  // A thirty-second stays free for the pages that embedding rows come in and for what nobody counts.
  const uint64_t room = budget - budget / 32,
                 dense = static_cast<uint64_t>(bytes.dense + bytes.expert_scales);
  plan.dense_fits = dense < room;
  const int64_t kept = ExpertCache::capacity_of(model, plan.dense_fits ? room - dense : 0);
  plan.experts_kept = kept;
  plan.cache_bytes = static_cast<uint64_t>(kept) * expert;
  const int64_t all = ExpertCache::capacity_of(model, SIZE_MAX);
  plan.kept_share = static_cast<double>(kept) / static_cast<double>(all);
  plan.disk_bytes_token = static_cast<double>(bytes.experts_token) * (1 - plan.kept_share);
  // What every token touches comes from the disk again and again when it does not fit: the least recently
  // used page is always the one that is needed next.
  if (!plan.dense_fits) plan.disk_bytes_token += static_cast<double>(bytes.dense);
  return plan;
}

Residency::Residency(const Model& model, uint64_t budget) : plan_(plan_residency(model, budget)) {
  for_each_present(model, [&](std::string_view name, const Weight& w) {
    if (is_expert(name)) {
      if (scale_bytes(w) > 0) scales_.push_back({w.scales, scale_bytes(w)});
    } else if (!is_embedding(name)) {
      dense_.push_back({w.data, w.bytes()});
      if (scale_bytes(w) > 0) dense_.push_back({w.scales, scale_bytes(w)});
    }
  });
  if (!streams()) return;
  // Reading around a page, a row of the embedding or an expert's scales, would bring in experts that nobody
  // uses there.
  for (const io::SafetensorsFile& file : model.directory.files()) {
    if (!plan_.dense_fits) break;  // everything is read again for every token, in large pieces at least
    on_pages(file.file().data(), file.file().size(),
             [](void* at, size_t n) { return ::madvise(at, n, MADV_RANDOM); });
  }
  experts_ = std::make_unique<ExpertCache>(model, plan_.cache_bytes);
}

Residency::~Residency() {
  stop_ = true;
  if (!warmer_.joinable()) return;
  warmer_.join();
  if (streams())
    for (const Range& r : dense_) on_pages(r.data, r.bytes, ::munlock);
}

void Residency::warm() {
  if (!warmer_.joinable()) warmer_ = std::thread([this] { warm_up(); });
}

void Residency::warm_up() {
  constexpr size_t kStep = size_t{8} << 20;  // between two looks at stop_
  const auto read = [](void* at, size_t bytes) { return ::madvise(at, bytes, MADV_WILLNEED); };
  if (streams() && !plan_.dense_fits) return;
  for (const Range& r : dense_) {
    // Locking as pages come needs no reading now; without the permission the pages stay as long as they are
    // used.
    if (streams())
      on_pages(r.data, r.bytes, [](void* at, size_t bytes) { return ::mlock2(at, bytes, MLOCK_ONFAULT); });
    for (size_t at = 0; at < r.bytes && !stop_; at += kStep)
      on_pages(r.data + at, std::min(kStep, r.bytes - at), read);
  }
  if (!streams()) return;
  for (const Range& r : scales_)
    if (!stop_) on_pages(r.data, r.bytes, read);
}

}  // namespace fathom::model
