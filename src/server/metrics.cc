#include "server/metrics.h"

#include <fmt/format.h>

namespace fathom::server {
namespace {

template <class Number>
void write(std::string& out, std::string_view type, std::string_view name, std::string_view help,
           Number value) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n{} {}\n", name, help, name, type, name, value);
}

void write_engine(std::string& out, const infer::EngineStats& s) {
  write(out, "gauge", "fathom_requests_running", "Requests in the current step", s.running);
  write(out, "gauge", "fathom_requests_waiting", "Requests that wait for a place", s.waiting);
  write(out, "counter", "fathom_steps_total", "Steps of the engine", s.steps);
  write(out, "gauge", "fathom_cache_blocks", "Blocks of the latent cache", s.blocks);
  write(out, "gauge", "fathom_cache_blocks_in_use", "Blocks that running requests hold or have reserved",
        s.blocks_in_use);
  write(out, "gauge", "fathom_cache_blocks_remembered", "Blocks kept for prompts that begin alike",
        s.blocks_remembered);
  write(out, "counter", "fathom_prompt_tokens_total", "Tokens of prompts", s.prompt_tokens);
  write(out, "counter", "fathom_cached_tokens_total", "Tokens of prompts found in the cache",
        s.cached_tokens);
  write(out, "counter", "fathom_completion_tokens_total", "Tokens of finished answers", s.completion_tokens);
  write(out, "counter", "fathom_mtp_drafted_total", "Tokens drafted by the MTP module", s.drafted);
  write(out, "counter", "fathom_mtp_accepted_total", "Drafts that the model confirmed", s.accepted);
}

void write_store(std::string& out, const infer::BlockStoreStats& s) {
  write(out, "counter", "fathom_disk_cache_hits_total", "Cache blocks read from disk", s.loaded);
  write(out, "counter", "fathom_disk_cache_misses_total", "Cache blocks looked for on disk in vain", s.missed);
  write(out, "counter", "fathom_disk_cache_saved_total", "Cache blocks written to disk", s.saved);
  write(out, "counter", "fathom_disk_cache_evictions_total", "Cache blocks deleted to make room", s.evicted);
  write(out, "counter", "fathom_disk_cache_damaged_total", "Cache blocks whose checksum was wrong", s.damaged);
  write(out, "counter", "fathom_disk_cache_dropped_total",
        "Cache blocks that the disk did not take, or not in time", s.dropped);
  write(out, "gauge", "fathom_disk_cache_bytes", "Size of the blocks on disk", s.bytes);
}

void write_experts(std::string& out, const infer::Engine& engine) {
  const std::vector<int64_t> layers = infer::expert_layers(engine.model().config);
  const std::vector<uint64_t> loads = engine.expert_loads();
  if (layers.empty()) return;
  const size_t experts = loads.size() / layers.size();
  out +=
      "# HELP fathom_expert_rows_total Rows of steps that an expert was chosen for\n# TYPE "
      "fathom_expert_rows_total counter\n";
  for (size_t l = 0; l < layers.size(); ++l)
    for (size_t e = 0; e < experts; ++e)
      out += fmt::format("fathom_expert_rows_total{{layer=\"{}\",expert=\"{}\"}} {}\n", layers[l], e,
                         loads[l * experts + e]);
}

}  // namespace

void Metrics::count_request(std::string_view route, int status) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status}];
}

void Metrics::count_answer(const AnswerUsage& usage) {
  queue.observe(usage.queue_s);
  const std::lock_guard lock(mutex_);
  ++answers_;
  reasoning_tokens_ += static_cast<uint64_t>(usage.reasoning_tokens);
}

void Metrics::count_disconnect() {
  const std::lock_guard lock(mutex_);
  ++disconnects_;
}

std::string Metrics::text(const infer::Engine& engine, const net::ServerStats& net) const {
  std::string out;
  first_token.write(out, "fathom_time_to_first_token_seconds", "From the request to the first token");
  between_tokens.write(out, "fathom_time_between_tokens_seconds", "From one token of an answer to the next");
  queue.write(out, "fathom_queue_seconds", "From the request to its first step");
  request.write(out, "fathom_request_seconds", "From the request to the end of its answer");
  write_engine(out, engine.stats());
  if (const auto store = engine.store_stats()) write_store(out, *store);
  write_experts(out, engine);
  write(out, "gauge", "fathom_connections", "Open connections", net.connections);
  write(out, "counter", "fathom_connections_total", "Connections accepted", net.accepted);
  write(out, "counter", "fathom_connections_overflowed_total",
        "Connections closed because the client read too slowly", net.overflows);
  write(out, "gauge", "fathom_request_body_bytes", "Request bodies in memory", net.body_bytes);
  const std::lock_guard lock(mutex_);
  write(out, "counter", "fathom_answers_total", "Answers completed", answers_);
  write(out, "counter", "fathom_reasoning_tokens_total", "Tokens of thoughts in completed answers",
        reasoning_tokens_);
  write(out, "counter", "fathom_disconnects_total", "Requests whose client went away", disconnects_);
  out += "# HELP fathom_http_requests_total Answered requests\n# TYPE fathom_http_requests_total counter\n";
  for (const auto& [key, count] : requests_)
    out += fmt::format("fathom_http_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second,
                       count);
  return out;
}

}  // namespace fathom::server
