#include "tests/support/official_layout.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "base/json.h"
#include "base/mapped_file.h"

namespace fathom::test {
namespace {

constexpr int64_t kHidden = 7168, kHeads = 128, kVocabulary = 129280;
constexpr int kLayers = 61, kDenseLayers = 3, kExperts = 256, kMainShards = 160;

class Lister {
 public:
  void add(const std::string& name, DType dtype, Shape shape) { tensors_.push_back({name, dtype, shape, 0}); }
  void add_norm(const std::string& name, int64_t width) { add(name + ".weight", DType::bf16, {width}); }
  void add_quantized(const std::string& name, int64_t out, int64_t in) {
    add(name + ".weight", DType::e4m3, {out, in});
    add(name + ".weight_scale_inv", DType::f32, {(out + 127) / 128, (in + 127) / 128});
  }
  void add_mlp(const std::string& name, int64_t width) {
    add_quantized(name + ".gate_proj", width, kHidden);
    add_quantized(name + ".up_proj", width, kHidden);
    add_quantized(name + ".down_proj", kHidden, width);
  }
  void add_layer(int layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    add_norm(prefix + "input_layernorm", kHidden);
    add_norm(prefix + "post_attention_layernorm", kHidden);
    add_quantized(prefix + "self_attn.q_a_proj", 1536, kHidden);
    add_norm(prefix + "self_attn.q_a_layernorm", 1536);
    add_quantized(prefix + "self_attn.q_b_proj", kHeads * 192, 1536);
    add_quantized(prefix + "self_attn.kv_a_proj_with_mqa", 576, kHidden);
    add_norm(prefix + "self_attn.kv_a_layernorm", 512);
    add_quantized(prefix + "self_attn.kv_b_proj", kHeads * 256, 512);
    add_quantized(prefix + "self_attn.o_proj", kHidden, kHeads * 128);
    if (layer < kDenseLayers) return add_mlp(prefix + "mlp", 18432);
    add(prefix + "mlp.gate.weight", DType::bf16, {kExperts, kHidden});
    add(prefix + "mlp.gate.e_score_correction_bias", DType::f32, {kExperts});
    for (int e = 0; e < kExperts; ++e) add_mlp(prefix + "mlp.experts." + std::to_string(e), 2048);
    add_mlp(prefix + "mlp.shared_experts", 2048);
  }
  // Files first..last get the tensors from `from` on, about equally many bytes each.
  void spread(size_t from, int first, int last) {
    double total = 0, before = 0;
    for (size_t i = from; i < tensors_.size(); ++i) total += bytes_of(tensors_[i]);
    for (size_t i = from; i < tensors_.size(); ++i) {
      tensors_[i].shard = std::min(last, first + static_cast<int>(before / total * (last - first + 1)));
      before += bytes_of(tensors_[i]);
    }
  }
  static double bytes_of(const OfficialTensor& t) {
    return static_cast<double>(t.shape.elements()) * static_cast<double>(size_of(t.dtype));
  }
  size_t size() const { return tensors_.size(); }
  OfficialTensor& back() { return tensors_.back(); }
  std::vector<OfficialTensor> take() { return std::move(tensors_); }

 private:
  std::vector<OfficialTensor> tensors_;
};

void write_shard(const std::string& directory, int shard, std::vector<const OfficialTensor*> tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const OfficialTensor* a, const OfficialTensor* b) {
    return size_of(a->dtype) > size_of(b->dtype);
  });
  std::string header = R"({"__metadata__":{"format":"pt"})";
  uint64_t at = 0;
  for (const OfficialTensor* t : tensors) {
    const uint64_t end = at + static_cast<uint64_t>(t->shape.elements()) * size_of(t->dtype);
    header += ",\"" + t->name + R"(":{"dtype":")" + std::string(name_of(t->dtype)) + R"(","shape":[)";
    for (int axis = 0; axis < t->shape.rank(); ++axis)
      header += (axis > 0 ? "," : "") + std::to_string(t->shape[axis]);
    header += R"(],"data_offsets":[)" + std::to_string(at) + "," + std::to_string(end) + "]}";
    at = end;
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  std::string head;
  for (size_t i = 0; i < 8; ++i) head += static_cast<char>(header.size() >> (8 * i) & 0xff);
  const std::string path = directory + "/" + official_shard_name(shard);
  write_file(path, head + header).value();
  std::filesystem::resize_file(path, head.size() + header.size() + at);
}

}  // namespace

std::vector<OfficialTensor> official_layout() {
  Lister list;
  list.add("model.embed_tokens.weight", DType::bf16, {kVocabulary, kHidden});
  for (int layer = 0; layer < kLayers; ++layer) list.add_layer(layer);
  list.spread(0, 1, kMainShards);
  list.add_norm("model.norm", kHidden);
  list.back().shard = kMainShards;
  list.add("lm_head.weight", DType::bf16, {kVocabulary, kHidden});
  list.back().shard = kMainShards;
  const size_t mtp = list.size();
  const std::string prefix = "model.layers." + std::to_string(kLayers) + ".";
  list.add_layer(kLayers);
  list.add_norm(prefix + "enorm", kHidden);
  list.add_norm(prefix + "hnorm", kHidden);
  list.add(prefix + "eh_proj.weight", DType::bf16, {kHidden, 2 * kHidden});
  list.add_norm(prefix + "shared_head.norm", kHidden);
  list.add(prefix + "shared_head.head.weight", DType::bf16, {kVocabulary, kHidden});
  list.spread(mtp, kMainShards + 1, kOfficialShards);
  list.add(prefix + "embed_tokens.weight", DType::bf16, {kVocabulary, kHidden});
  list.back().shard = kOfficialShards;
  return list.take();
}

std::string official_shard_name(int shard) {
  const std::string number = std::to_string(shard);
  return "model-" + std::string(5 - number.size(), '0') + number + "-of-000" +
         std::to_string(kOfficialShards) + ".safetensors";
}

std::string official_config_text() {
  return R"({
  "architectures": ["DeepseekV3ForCausalLM"],
  "attention_bias": false,
  "attention_dropout": 0.0,
  "aux_loss_alpha": 0.001,
  "bos_token_id": 0,
  "eos_token_id": 1,
  "ep_size": 1,
  "first_k_dense_replace": 3,
  "hidden_act": "silu",
  "hidden_size": 7168,
  "initializer_range": 0.02,
  "intermediate_size": 18432,
  "kv_lora_rank": 512,
  "max_position_embeddings": 163840,
  "model_type": "deepseek_v3",
  "moe_intermediate_size": 2048,
  "moe_layer_freq": 1,
  "n_group": 8,
  "n_routed_experts": 256,
  "n_shared_experts": 1,
  "norm_topk_prob": true,
  "num_attention_heads": 128,
  "num_experts_per_tok": 8,
  "num_hidden_layers": 61,
  "num_key_value_heads": 128,
  "num_nextn_predict_layers": 1,
  "pretraining_tp": 1,
  "q_lora_rank": 1536,
  "qk_nope_head_dim": 128,
  "qk_rope_head_dim": 64,
  "quantization_config": {
    "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "weight_block_size": [128, 128]
  },
  "rms_norm_eps": 1e-06,
  "rope_scaling": {
    "beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0,
    "original_max_position_embeddings": 4096, "type": "yarn"
  },
  "rope_theta": 10000,
  "routed_scaling_factor": 2.5,
  "scoring_func": "sigmoid",
  "seq_aux": true,
  "tie_word_embeddings": false,
  "topk_group": 4,
  "topk_method": "noaux_tc",
  "torch_dtype": "bfloat16",
  "transformers_version": "4.46.3",
  "use_cache": true,
  "v_head_dim": 128,
  "vocab_size": 129280
}
)";
}

void write_official_layout(const std::string& directory) {
  const std::vector<OfficialTensor> tensors = official_layout();
  std::vector<std::vector<const OfficialTensor*>> shards(kOfficialShards + 1);
  uint64_t total = 0;
  std::string map;
  for (const OfficialTensor& t : tensors) {
    shards[static_cast<size_t>(t.shard)].push_back(&t);
    total += static_cast<uint64_t>(t.shape.elements()) * size_of(t.dtype);
    map += (map.empty() ? "\n    \"" : ",\n    \"") + t.name + "\": \"" + official_shard_name(t.shard) + "\"";
  }
  for (int shard = 1; shard <= kOfficialShards; ++shard)
    write_shard(directory, shard, shards[static_cast<size_t>(shard)]);
  write_file(directory + "/model.safetensors.index.json",
             "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total) +
                 "\n  },\n  \"weight_map\": {" + map + "\n  }\n}\n")
      .value();
  write_file(directory + "/config.json", official_config_text()).value();
  write_file(
      directory + "/generation_config.json",
      "{\n  \"bos_token_id\": 0,\n  \"eos_token_id\": 1,\n  \"do_sample\": true,\n  \"temperature\": 0.6,\n"
      "  \"top_p\": 0.95\n}\n")
      .value();
}

}  // namespace fathom::test
