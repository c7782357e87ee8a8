#include "model/workspace.h"

#include <algorithm>
#include <type_traits>

namespace fathom::model {
namespace {

// Walks all matrices of a workspace: the same list measures and hands out.
template <class Visit>
void for_each_matrix(Workspace& w, const Config& c, int64_t rows, Visit visit) {
  const int64_t heads = c.num_attention_heads, slots = rows * c.num_experts_per_tok;
  const int64_t ffn = std::max(c.intermediate_size, c.shared_intermediate());
  const int64_t widest = std::max({c.hidden_size, c.q_lora_rank, c.kv_lora_rank, heads * c.v_head_dim, ffn});
  visit(w.hidden, rows, c.hidden_size);
  visit(w.normed, rows, c.hidden_size);
  visit(w.quantized, rows, widest);
  visit(w.cos, rows, c.qk_rope_head_dim / 2);
  visit(w.sin, rows, c.qk_rope_head_dim / 2);
  visit(w.q_latent_in, rows, c.q_lora_rank);
  visit(w.q, rows, heads * c.qk_head_dim());
  visit(w.kv, rows, c.latent_width());
  visit(w.latent, rows, c.kv_lora_rank);
  visit(w.q_latent, rows, heads * c.kv_lora_rank);
  visit(w.o_latent, rows, heads * c.kv_lora_rank);
  visit(w.attention, rows, heads * c.v_head_dim);
  visit(w.gate, rows, ffn);
  visit(w.up, rows, ffn);
  visit(w.shared, rows, c.hidden_size);
  visit(w.router_logits, rows, c.n_routed_experts);
  visit(w.index, rows, c.num_experts_per_tok);
  visit(w.slot, rows, c.num_experts_per_tok);
  visit(w.weight, rows, c.num_experts_per_tok);
  visit(w.routed_gate, slots, c.moe_intermediate_size);
  visit(w.routed_up, slots, c.moe_intermediate_size);
  visit(w.routed_quantized, slots, c.moe_intermediate_size);
  visit(w.routed, slots, c.hidden_size);
  visit(w.mtp_input, rows, 2 * c.hidden_size);
}

}  // namespace

size_t Workspace::bytes_needed(const Config& config, int64_t max_rows) {
  size_t bytes = 0;
  const auto add = [&bytes](auto& mat, int64_t rows, int64_t cols) {
    bytes += (static_cast<size_t>(rows * cols) * sizeof(*mat.data) + 63) / 64 * 64;
  };
  Workspace empty(config, 0);
  for_each_matrix(empty, config, max_rows, add);
  return bytes;
}

Workspace::Workspace(const Config& config, int64_t max_rows)
    : max_rows_(max_rows), arena_(max_rows > 0 ? bytes_needed(config, max_rows) : 0) {
  if (max_rows == 0) return;
  for_each_matrix(*this, config, max_rows, [this](auto& mat, int64_t rows, int64_t cols) {
    mat = arena_.mat<std::remove_reference_t<decltype(*mat.data)>>(rows, cols);
  });
  offset.resize(static_cast<size_t>(config.n_routed_experts) + 1);
  few_positions.resize(static_cast<size_t>(max_rows));
  few_sequences.resize(static_cast<size_t>(max_rows));
  slot_row.resize(static_cast<size_t>(max_rows * config.num_experts_per_tok));
  chosen.reserve(static_cast<size_t>(config.n_routed_experts));
  const int64_t router_tasks = (max_rows + kRouterRows - 1) / kRouterRows;
  tasks.reserve(static_cast<size_t>(
      std::max({2 * config.n_routed_experts + 2, config.num_attention_heads, router_tasks})));
}

}  // namespace fathom::model
