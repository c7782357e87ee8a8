#include "model/parameters.h"

#include <string_view>

namespace fathom::model {
namespace {

using Visit = std::function<void(const ParameterSpec&, Weight&)>;

// Names tensors under a prefix.
class Namer {
 public:
  Namer(std::string prefix, const Visit& visit) : prefix_(std::move(prefix)), visit_(visit) {}

  void projection(const char* name, Weight& w, int64_t rows, int64_t cols) { add(name, w, rows, cols, ParameterKind::projection); }
  void matrix(const char* name, Weight& w, int64_t rows, int64_t cols) { add(name, w, rows, cols, ParameterKind::matrix); }
  void norm(const char* name, Weight& w, int64_t size) { add(name, w, 1, size, ParameterKind::norm); }
  void shared_copy(const char* name, Weight& w, int64_t rows, int64_t cols) { add(name, w, rows, cols, ParameterKind::shared_copy); }
  void router_bias(Weight& w, int64_t size) {
    visit_({prefix_ + "gate.e_score_correction_bias", 1, size, ParameterKind::router_bias}, w);
  }
  Namer under(const std::string& name) const { return {prefix_ + name + ".", visit_}; }

 private:
  void add(const char* name, Weight& w, int64_t rows, int64_t cols, ParameterKind kind) {
    visit_({prefix_ + name + ".weight", rows, cols, kind}, w);
  }
  std::string prefix_;
  const Visit& visit_;
};

void visit_attention(const Config& c, AttentionParameters& p, Namer in) {
  const int64_t q_rows = c.num_attention_heads * c.qk_head_dim();
  if (c.q_lora_rank > 0) {
    in.projection("q_a_proj", p.q_a, c.q_lora_rank, c.hidden_size);
    in.norm("q_a_layernorm", p.q_a_norm, c.q_lora_rank);
    in.projection("q_b_proj", p.q_b, q_rows, c.q_lora_rank);
  } else {
    in.projection("q_proj", p.q, q_rows, c.hidden_size);
  }
  in.projection("kv_a_proj_with_mqa", p.kv_a, c.latent_width(), c.hidden_size);
  in.norm("kv_a_layernorm", p.kv_a_norm, c.kv_lora_rank);
  in.projection("kv_b_proj", p.kv_b, c.num_attention_heads * c.kv_head_rows(), c.kv_lora_rank);
  in.projection("o_proj", p.o, c.hidden_size, c.num_attention_heads * c.v_head_dim);
}

void visit_ffn(const Config& c, FfnParameters& p, int64_t intermediate, Namer in) {
  in.projection("gate_proj", p.gate, intermediate, c.hidden_size);
  in.projection("up_proj", p.up, intermediate, c.hidden_size);
  in.projection("down_proj", p.down, c.hidden_size, intermediate);
}

void visit_layer(const Config& c, LayerParameters& p, Namer in) {
  in.norm("input_layernorm", p.attention_norm, c.hidden_size);
  visit_attention(c, p.attention, in.under("self_attn"));
  in.norm("post_attention_layernorm", p.ffn_norm, c.hidden_size);
  Namer mlp = in.under("mlp");
  if (!p.is_moe) return visit_ffn(c, p.dense, c.intermediate_size, mlp);
  mlp.matrix("gate", p.moe.router, c.n_routed_experts, c.hidden_size);
  mlp.router_bias(p.moe.bias, c.n_routed_experts);
  for (size_t e = 0; e < p.moe.experts.size(); ++e)
    visit_ffn(c, p.moe.experts[e], c.moe_intermediate_size, mlp.under("experts." + std::to_string(e)));
  visit_ffn(c, p.moe.shared, c.shared_intermediate(), mlp.under("shared_experts"));
}

LayerParameters empty_layer(const Config& c, bool moe) {
  LayerParameters p;
  p.is_moe = moe;
  if (moe) p.moe.experts.resize(static_cast<size_t>(c.n_routed_experts));
  return p;
}

}  // namespace

Parameters empty_parameters(const Config& c) {
  Parameters p;
  for (int64_t l = 0; l < c.num_hidden_layers; ++l) p.layers.push_back(empty_layer(c, c.is_moe(l)));
  for (int64_t k = 0; k < c.num_nextn_predict_layers; ++k) {
    p.mtp.emplace_back();
    p.mtp.back().layer = empty_layer(c, true);
  }
  return p;
}

void for_each_parameter(const Config& c, Parameters& p, const Visit& visit) {
  Namer top("model.", visit), head("", visit);
  top.matrix("embed_tokens", p.embed, c.vocab_size, c.hidden_size);
  for (size_t l = 0; l < p.layers.size(); ++l) visit_layer(c, p.layers[l], top.under("layers." + std::to_string(l)));
  top.norm("norm", p.norm, c.hidden_size);
  head.matrix("lm_head", p.head, c.vocab_size, c.hidden_size);
  for (size_t k = 0; k < p.mtp.size(); ++k) {
    MtpParameters& m = p.mtp[k];
    Namer in = top.under("layers." + std::to_string(p.layers.size() + k));
    in.shared_copy("embed_tokens", m.embed, c.vocab_size, c.hidden_size);
    in.norm("enorm", m.enorm, c.hidden_size);
    in.norm("hnorm", m.hnorm, c.hidden_size);
    in.matrix("eh_proj", m.eh_proj, c.hidden_size, 2 * c.hidden_size);
    visit_layer(c, m.layer, in);
    in.under("shared_head").norm("norm", m.norm, c.hidden_size);
    in.under("shared_head").shared_copy("head", m.head, c.vocab_size, c.hidden_size);
  }
}

ParameterCount count_parameters(const Config& config) {
  Parameters p = empty_parameters(config);
  ParameterCount count;
  const std::string mtp_prefix = "model.layers.";
  for_each_parameter(config, p, [&](const ParameterSpec& spec, Weight&) {
    const int64_t size = spec.rows * spec.cols;
    int64_t layer = -1;
    if (spec.name.starts_with(mtp_prefix)) layer = std::stoll(spec.name.substr(mtp_prefix.size()));
    if (layer >= config.num_hidden_layers) {
      count.mtp += spec.kind == ParameterKind::shared_copy ? 0 : size;
      return;
    }
    count.total += size;
    if (spec.name.find(".mlp.experts.") == std::string::npos) count.activated += size;
  });
  int64_t moe_layers = 0;
  for (const LayerParameters& layer : p.layers) moe_layers += layer.is_moe ? 1 : 0;
  count.activated += moe_layers * config.num_experts_per_tok * 3 * config.moe_intermediate_size * config.hidden_size;
  return count;
}

}  // namespace fathom::model
