#include "model/config.h"

#include <cmath>

#include "base/json.h"

namespace fathom::model {
namespace {

// Reads keys of one object and keeps the first error.
class KeyReader {
 public:
  KeyReader(const Json& object, const std::string& where, std::string prefix = {})
      : object_(object), where_(where), prefix_(std::move(prefix)) {}

  bool has(const char* key) const {
    const auto at = object_.find(key);
    return at != object_.end() && !at->is_null();
  }
  int64_t integer(const char* key, int64_t low, int64_t high, std::optional<int64_t> absent = std::nullopt) {
    if (!has(key)) return missing(key, absent);
    const Json& v = object_[key];
    if (!v.is_number_integer()) return fail(key, "must be an integer"), low;
    // An unsigned value beyond int64 reads as negative and so falls out of any range used here.
    const int64_t n = v.get<int64_t>();
    if (n < low || n > high || (v.is_number_unsigned() && n < 0))
      return fail(key, "is " + quotable(v.dump()) + ", outside [" + std::to_string(low) + ", " + std::to_string(high) + "]"), low;
    return n;
  }
  double number(const char* key, double low, double high, std::optional<double> absent = std::nullopt) {
    if (!has(key)) return missing(key, absent);
    const Json& v = object_[key];
    if (!v.is_number()) return fail(key, "must be a number"), low;
    const double n = v.get<double>();
    if (!(n >= low && n <= high)) return fail(key, "is " + quotable(v.dump()) + ", outside what this program accepts"), low;
    return n;
  }
  bool boolean(const char* key, std::optional<bool> absent) {
    if (!has(key)) return missing(key, absent);
    if (!object_[key].is_boolean()) return fail(key, "must be true or false"), false;
    return object_[key].get<bool>();
  }
  std::string string(const char* key, std::optional<std::string> absent) {
    if (!has(key)) return missing(key, absent);
    if (!object_[key].is_string()) return fail(key, "must be a string"), std::string();
    return object_[key].get<std::string>();
  }
  const Json* object(const char* key) {
    if (!has(key)) return nullptr;
    if (!object_[key].is_object()) return fail(key, "must be an object"), nullptr;
    return &object_[key];
  }
  const Json& raw(const char* key) const { return object_[key]; }
  // Refuses any value but `wanted`; an absent key passes.
  void only(const char* key, const std::string& wanted, const std::string& remedy) {
    const std::string v = string(key, wanted);
    if (v != wanted) fail(key, "is \"" + quotable(v) + "\"; only \"" + wanted + "\" can be run", remedy);
  }
  void fail(const std::string& key, std::string problem, std::string remedy = "correct config.json") {
    if (!error) error = Error{where_, prefix_ + key, std::move(problem), std::move(remedy)};
  }

  std::optional<Error> error;

 private:
  template <class T>
  T missing(const char* key, const std::optional<T>& absent) {
    if (!absent) fail(key, "is missing");
    return absent.value_or(T{});
  }
  const Json& object_;
  const std::string& where_;
  std::string prefix_;
};

constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMostExperts = int64_t{1} << 18;  // of all layers; the largest model of the family has 23,424
constexpr const char* kFamily = "use a model of the DeepSeek-V3 family (model_type deepseek_v3 or kimi_k2)";

void read_sizes(KeyReader& in, Config& c) {
  c.vocab_size = in.integer("vocab_size", 1, int64_t{1} << 24);
  c.hidden_size = in.integer("hidden_size", 1, kMaxWidth);
  c.intermediate_size = in.integer("intermediate_size", 1, kMaxWidth);
  c.num_hidden_layers = in.integer("num_hidden_layers", 1, 1024);
  c.num_nextn_predict_layers = in.integer("num_nextn_predict_layers", 0, 16, 0);
  c.num_attention_heads = in.integer("num_attention_heads", 1, 4096);
  c.q_lora_rank = in.integer("q_lora_rank", 0, kMaxWidth, 0);
  c.kv_lora_rank = in.integer("kv_lora_rank", 1, kMaxWidth);
  c.qk_nope_head_dim = in.integer("qk_nope_head_dim", 1, 4096);
  c.qk_rope_head_dim = in.integer("qk_rope_head_dim", 2, 4096);
  c.v_head_dim = in.integer("v_head_dim", 1, 4096);
  c.max_position_embeddings = in.integer("max_position_embeddings", 1, int64_t{1} << 27, 4096);
  if (c.qk_rope_head_dim % 2 != 0) in.fail("qk_rope_head_dim", "must be even");
  const int64_t kv_heads = in.integer("num_key_value_heads", 1, 4096, c.num_attention_heads);
  if (kv_heads != c.num_attention_heads)
    in.fail("num_key_value_heads", "differs from num_attention_heads", "latent attention has as many of both");
  c.rms_norm_eps = in.number("rms_norm_eps", 0, 1, 1e-6);
  c.initializer_range = in.number("initializer_range", 0, 100, 0.02);
}

void read_experts(KeyReader& in, Config& c) {
  c.n_routed_experts = in.integer("n_routed_experts", 0, 65536, 0);
  c.first_k_dense_replace = in.integer("first_k_dense_replace", 0, 1024, 0);
  c.moe_layer_freq = in.integer("moe_layer_freq", 1, 1024, 1);
  if (c.n_routed_experts == 0) {
    if (c.num_nextn_predict_layers > 0) in.fail("n_routed_experts", "is missing, but MTP modules have experts");
    return;
  }
  c.moe_intermediate_size = in.integer("moe_intermediate_size", 1, kMaxWidth);
  c.n_shared_experts = in.integer("n_shared_experts", 1, 1024);
  c.num_experts_per_tok = in.integer("num_experts_per_tok", 1, 1024);
  c.n_group = in.integer("n_group", 1, 65536, 1);
  c.topk_group = in.integer("topk_group", 1, 65536, 1);
  c.norm_topk_prob = in.boolean("norm_topk_prob", true);
  c.routed_scaling_factor = in.number("routed_scaling_factor", 1e-6, 1e6, 1.0);
  in.only("scoring_func", "sigmoid", "softmax routing is DeepSeek-V2's; use a V3 model");
  in.only("topk_method", "noaux_tc", "other routing is DeepSeek-V2's; use a V3 model");
  if (!in.has("scoring_func") || !in.has("topk_method"))
    in.fail(in.has("scoring_func") ? "topk_method" : "scoring_func", "is missing", "V3 files say sigmoid and noaux_tc");
  if (in.error) return;
  if (c.n_routed_experts * c.all_layers() > kMostExperts)
    in.fail("n_routed_experts", "times the layers is more than " + std::to_string(kMostExperts));
  else if (c.n_routed_experts % c.n_group != 0) in.fail("n_group", "does not divide n_routed_experts");
  else if (c.topk_group > c.n_group) in.fail("topk_group", "is larger than n_group");
  else if (c.num_experts_per_tok > c.n_routed_experts / c.n_group * c.topk_group)
    in.fail("num_experts_per_tok", "is larger than the experts that topk_group groups hold");
}

void read_yarn(KeyReader& in, const Json& object, const std::string& where, const char* key, Config& c) {
  KeyReader r(object, where, std::string(key) + ".");
  const std::string type = r.has("rope_type") ? r.string("rope_type", "") : r.string("type", "default");
  if (type == "yarn") {
    Yarn y;
    y.factor = r.number("factor", 1e-3, 1e6);
    y.original_max_position_embeddings =
        r.integer("original_max_position_embeddings", 1, int64_t{1} << 27, c.max_position_embeddings);
    y.beta_fast = r.number("beta_fast", 1e-6, 1e6, 32.0);
    y.beta_slow = r.number("beta_slow", 1e-6, 1e6, 1.0);
    y.mscale = r.number("mscale", 0, 100, 1.0);
    y.mscale_all_dim = r.number("mscale_all_dim", 0, 100, 0.0);
    c.yarn = y;
  } else if (type != "default") {
    r.fail("type", "is \"" + quotable(type) + "\"; only yarn can be run", kFamily);
  }
  if (r.has("rope_theta")) c.rope_theta = r.number("rope_theta", 1.0001, 1e12);
  if (r.error && !in.error) in.error = r.error;
}

void read_rope(KeyReader& in, const std::string& where, Config& c) {
  c.rope_theta = in.number("rope_theta", 1.0001, 1e12, 10000.0);
  for (const char* key : {"rope_scaling", "rope_parameters"})
    if (const Json* object = in.object(key)) read_yarn(in, *object, where, key, c);
  if (in.has("rope_interleave") && !in.boolean("rope_interleave", true))
    in.fail("rope_interleave", "is false; the family's weights hold interleaved pairs", kFamily);
}

void read_quantization(KeyReader& in, const std::string& where, Config& c) {
  const Json* object = in.object("quantization_config");
  if (object == nullptr) return;
  KeyReader r(*object, where, "quantization_config.");
  const char* remedy = "use the official FP8 files or BF16 ones without quantization_config";
  r.only("quant_method", "fp8", remedy);
  r.only("fmt", "e4m3", remedy);
  r.only("activation_scheme", "dynamic", remedy);
  const bool square = r.has("weight_block_size") && r.raw("weight_block_size") == Json::array({kScaleBlock, kScaleBlock});
  if (!square) r.fail("weight_block_size", "must be [128, 128]", remedy);
  const std::string format = r.string("scale_fmt", "");
  if (format == "ue8m0") c.scale_format = ScaleFormat::ue8m0;
  else if (!format.empty()) r.fail("scale_fmt", "is \"" + quotable(format) + "\"; only ue8m0 is known", remedy);
  c.fp8_weights = true;
  if (r.error && !in.error) in.error = r.error;
}

void read_tokens(KeyReader& in, Config& c) {
  c.bos_token_id = in.integer("bos_token_id", 0, int64_t{1} << 24, 0);
  if (!in.has("eos_token_id")) return;
  const Json& eos = in.raw("eos_token_id");
  for (const Json& id : eos.is_array() ? eos : Json::array({eos})) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > (int64_t{1} << 24))
      return in.fail("eos_token_id", "must be a token id or a list of them");
    c.eos_token_ids.push_back(id.get<int64_t>());
  }
  if (c.bos_token_id >= c.vocab_size) in.fail("bos_token_id", "is outside the vocabulary");
  for (int64_t id : c.eos_token_ids)
    if (id >= c.vocab_size) in.fail("eos_token_id", "is outside the vocabulary");
}

void refuse_what_cannot_run(KeyReader& in, Config& c) {
  c.model_type = in.string("model_type", "");
  if (c.model_type != "deepseek_v3" && c.model_type != "kimi_k2") {
    in.fail("model_type", c.model_type.empty() ? "is missing" : "is \"" + quotable(c.model_type) + "\"", kFamily);
    return;
  }
  in.only("hidden_act", "silu", kFamily);
  if (in.boolean("attention_bias", false)) in.fail("attention_bias", "is true; biases cannot be run", kFamily);
  if (in.boolean("tie_word_embeddings", false)) in.fail("tie_word_embeddings", "is true; the head is its own matrix", kFamily);
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& where) {
  Result<Json> document = parse_json(text, where, {.depth = 32, .bytes = size_t{1} << 20});
  if (!document) return document.error();
  if (!document->is_object()) return Error{where, {}, "is not a JSON object", "use the model's own config.json"};
  Config c;
  KeyReader in(*document, where);
  refuse_what_cannot_run(in, c);
  if (!in.error) read_sizes(in, c);
  if (!in.error) read_experts(in, c);
  if (!in.error) read_rope(in, where, c);
  if (!in.error) read_quantization(in, where, c);
  if (!in.error) read_tokens(in, c);
  if (in.error) return *in.error;
  return c;
}

}  // namespace fathom::model
