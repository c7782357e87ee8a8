#include "apps/model_facts.h"

namespace fathom::apps {
namespace {

OrderedJson architecture_json(const ModelFacts& f) {
  const model::Config& c = f.model.config;
  return {{"model_type", c.model_type},
          {"layers", c.num_hidden_layers},
          {"dense_layers", c.num_hidden_layers - f.moe_layers()},
          {"moe_layers", f.moe_layers()},
          {"hidden_size", c.hidden_size},
          {"intermediate_size", c.intermediate_size},
          {"vocab_size", c.vocab_size},
          {"attention_heads", c.num_attention_heads},
          {"q_lora_rank", c.q_lora_rank},
          {"kv_lora_rank", c.kv_lora_rank},
          {"qk_nope_head_dim", c.qk_nope_head_dim},
          {"qk_rope_head_dim", c.qk_rope_head_dim},
          {"v_head_dim", c.v_head_dim},
          {"routed_experts", c.n_routed_experts},
          {"shared_experts", c.n_shared_experts},
          {"experts_per_token", c.num_experts_per_tok},
          {"moe_intermediate_size", c.moe_intermediate_size},
          {"groups", c.n_group},
          {"groups_per_token", c.topk_group}};
}

OrderedJson text_json(const ModelFacts& f) {
  OrderedJson out = OrderedJson::object();
  if (f.tokenizer) {
    const auto id = [](const std::optional<int32_t>& v) { return v ? OrderedJson(*v) : OrderedJson(); };
    out["tokenizer"] = {{"vocab_size", f.tokenizer->vocab_size()},
                        {"bos", id(f.tokenizer->bos_id())},
                        {"eos", id(f.tokenizer->eos_id())}};
  } else {
    out["tokenizer"] = nullptr;
    out["tokenizer_missing"] = f.tokenizer_missing;
  }
  out["chat_format"] = f.chat_format.empty() ? OrderedJson() : OrderedJson(f.chat_format);
  if (f.chat_format.empty()) out["chat_format_unknown"] = f.chat_unknown;
  return out;
}

OrderedJson check_json(const ModelFacts::CheckResult& check) {
  OrderedJson damaged = OrderedJson::array();
  for (const io::DamagedTensor& d : check.damaged)
    damaged.push_back({{"file", d.file}, {"tensor", d.tensor}, {"problem", d.problem}});
  return {{"pass", check.damaged.empty()},
          {"bytes", check.bytes},
          {"seconds", check.seconds},
          {"damaged", damaged}};
}

}  // namespace

OrderedJson facts_json(const ModelFacts& f) {
  const model::Config& c = f.model.config;
  const int64_t layers = c.num_hidden_layers, mtp = c.num_nextn_predict_layers;
  OrderedJson types = OrderedJson::object();
  for (const auto& [type, total] : f.tensors) types[type] = {{"count", total.count}, {"bytes", total.bytes}};
  OrderedJson out = {
      {"model", f.model.directory.path()},
      {"architecture", architecture_json(f)},
      {"context",
       {{"tokens", c.max_position_embeddings},
        {"yarn_factor", c.yarn ? OrderedJson(c.yarn->factor) : OrderedJson()}}},
      {"mtp",
       {{"modules", mtp},
        {"own_embedding", mtp > 0 && f.model.parameters.mtp[0].embed},
        {"own_head", mtp > 0 && f.model.parameters.mtp[0].head}}},
      {"parameters",
       {{"total", f.parameters.total}, {"activated", f.parameters.activated}, {"mtp", f.parameters.mtp}}},
      {"tensors",
       {{"count", f.tensor_total.count},
        {"bytes", f.tensor_total.bytes},
        {"files", f.model.directory.files().size()},
        {"file_bytes", f.file_bytes},
        {"by_type", types}}},
      {"cache_bytes_per_token",
       {{"fast", f.cache_bytes(layers, kFastBytes)},
        {"fast_mtp", f.cache_bytes(mtp, kFastBytes)},
        {"faithful", f.cache_bytes(layers, kFaithfulBytes)},
        {"faithful_mtp", f.cache_bytes(mtp, kFaithfulBytes)}}}};
  out.update(text_json(f));
  out["memory"] = {{"available", f.available_memory},
                   {"weights", f.tensor_total.bytes},
                   {"beside_weights", f.beside_weights},
                   {"fits", !f.residency.streams},
                   {"weights_read_per_token", f.weights.touched()},
                   {"weights_every_token", f.weights.dense}};
  if (f.residency.streams)
    out["memory"].update({{"experts_kept", f.residency.experts_kept},
                          {"experts_kept_share", f.residency.kept_share},
                          {"every_token_fits", f.residency.dense_fits},
                          {"disk_bytes_per_token", f.residency.disk_bytes_token},
                          {"disk_rate", f.disk_rate.value_or(ModelFacts::kAssumedDiskRate)},
                          {"disk_rate_measured", f.disk_rate.has_value()},
                          {"disk_tokens_per_second", f.disk_tokens_per_second()}});
  out["machine"] = {{"isas", f.isas}, {"threads", f.threads}};
  out["open_seconds"] = f.seconds;
  if (f.check) out["check"] = check_json(*f.check);
  return out;
}

}  // namespace fathom::apps
