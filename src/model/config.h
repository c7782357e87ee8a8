// What a config.json of the family says, interpreted and checked. Names follow the file's keys; the shape alphabet of
// docs/architecture.md is in the comments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "numeric/scaling.h"

namespace fathom::model {

// rope_scaling of type "yarn" (arXiv 2309.00071, as DeepSeek's code computes it).
struct Yarn {
  double factor = 1;
  int64_t original_max_position_embeddings = 4096;
  double beta_fast = 32, beta_slow = 1;
  double mscale = 1, mscale_all_dim = 0;
};

struct Config {
  std::string model_type;
  int64_t vocab_size = 0;               // V
  int64_t hidden_size = 0;              // H
  int64_t intermediate_size = 0;        // of the dense layers
  int64_t moe_intermediate_size = 0;    // I, of one expert
  int64_t num_hidden_layers = 0;        // L
  int64_t num_nextn_predict_layers = 0; // MTP modules
  int64_t first_k_dense_replace = 0;
  int64_t moe_layer_freq = 1;

  int64_t num_attention_heads = 0;      // N
  int64_t q_lora_rank = 0;              // 0: plain q_proj
  int64_t kv_lora_rank = 0;             // R, the latent
  int64_t qk_nope_head_dim = 0;
  int64_t qk_rope_head_dim = 0;
  int64_t v_head_dim = 0;

  int64_t n_routed_experts = 0;         // E; 0: every layer is dense
  int64_t n_shared_experts = 0;
  int64_t num_experts_per_tok = 0;      // K
  int64_t n_group = 1, topk_group = 1;
  bool norm_topk_prob = true;
  double routed_scaling_factor = 1;

  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  std::optional<Yarn> yarn;
  int64_t max_position_embeddings = 4096;
  double initializer_range = 0.02;

  int64_t bos_token_id = 0;
  std::vector<int64_t> eos_token_ids;
  // FP8 weights in 128x128 blocks, and how the scales of activations are rounded.
  bool fp8_weights = false;
  ScaleFormat scale_format = ScaleFormat::f32;

  bool is_moe(int64_t layer) const {
    return n_routed_experts > 0 && layer >= first_k_dense_replace && layer % moe_layer_freq == 0;
  }
  int64_t qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
  int64_t kv_head_rows() const { return qk_nope_head_dim + v_head_dim; }     // rows of kv_b_proj a head
  int64_t latent_width() const { return kv_lora_rank + qk_rope_head_dim; }   // cached values a token and layer
  int64_t shared_intermediate() const { return n_shared_experts * moe_intermediate_size; }
  int64_t all_layers() const { return num_hidden_layers + num_nextn_predict_layers; }
};

// Interprets the text of a config.json; `where` names it in errors. Refused, with the key named: what is missing,
// contradictory or beyond sane bounds, and what this program cannot run (other architectures, softmax routing, biases,
// tied embeddings, other quantizations).
Result<Config> parse_config(std::string_view text, const std::string& where);

}  // namespace fathom::model
