#include "tests/support/tiny_model.h"

#include "model/random_checkpoint.h"

namespace fathom::test {

std::string tiny_config_text() {
  return R"({
  "architectures": ["DeepseekV3ForCausalLM"],
  "model_type": "deepseek_v3",
  "vocab_size": 320,
  "hidden_size": 72,
  "intermediate_size": 200,
  "moe_intermediate_size": 40,
  "num_hidden_layers": 3,
  "num_nextn_predict_layers": 1,
  "first_k_dense_replace": 1,
  "num_attention_heads": 3,
  "num_key_value_heads": 3,
  "q_lora_rank": 24,
  "kv_lora_rank": 48,
  "qk_nope_head_dim": 16,
  "qk_rope_head_dim": 8,
  "v_head_dim": 20,
  "n_routed_experts": 8,
  "n_shared_experts": 1,
  "num_experts_per_tok": 3,
  "n_group": 4,
  "topk_group": 2,
  "norm_topk_prob": true,
  "routed_scaling_factor": 2.5,
  "scoring_func": "sigmoid",
  "topk_method": "noaux_tc",
  "hidden_act": "silu",
  "initializer_range": 0.05,
  "max_position_embeddings": 4096,
  "rms_norm_eps": 1e-06,
  "rope_theta": 10000.0,
  "rope_scaling": {
    "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024,
    "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0
  },
  "tie_word_embeddings": false,
  "attention_bias": false,
  "bos_token_id": 0,
  "eos_token_id": 1,
  "torch_dtype": "bfloat16"
}
)";
}

void write_tiny_model(const std::string& directory, model::CheckpointType type, uint64_t max_shard_bytes) {
  const std::string text = tiny_config_text();
  const model::Config config = model::parse_config(text, "config.json").value();
  ThreadPool pool(1);
  model::write_random_checkpoint(
      config, directory,
      {.seed = 1,
       .type = type,
       .files = {{"config.json", model::config_text_for(text, type, "config.json")},
                 {"generation_config.json", model::generation_config_text(config)}},
       .max_shard_bytes = max_shard_bytes},
      pool);
}

}  // namespace fathom::test
