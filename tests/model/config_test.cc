#include "model/config.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/json.h"
#include "tests/support/official_layout.h"

namespace fathom::model {
namespace {

Json official() { return parse_json(test::official_config_text(), "t").value(); }

Result<Config> with(const std::function<void(Json&)>& change) {
  Json json = official();
  change(json);
  return parse_config(json.dump(), "dir/config.json");
}

TEST(Config, ReadsTheOfficialFile) {
  const Config c = with([](Json&) {}).value();
  EXPECT_EQ(c.hidden_size, 7168);
  EXPECT_EQ(c.latent_width(), 576);
  EXPECT_TRUE(c.yarn && c.fp8_weights);
  EXPECT_FALSE(c.is_moe(2));
  EXPECT_TRUE(c.is_moe(3));
}

TEST(Config, ReadsNewerAndSiblingFiles) {
  const Config newer = with([](Json& j) {
    Json rope = j["rope_scaling"];
    rope["rope_type"] = rope["type"];
    rope["rope_theta"] = 50000;
    rope.erase("type");
    j.erase("rope_scaling");
    j.erase("rope_theta");
    j["rope_parameters"] = rope;
    j["rope_interleave"] = true;
  }).value();
  EXPECT_TRUE(newer.yarn);
  EXPECT_EQ(newer.rope_theta, 50000);
  const Config kimi = with([](Json& j) {
    j["model_type"] = "kimi_k2";
    j["n_routed_experts"] = 384;
    j["n_group"] = j["topk_group"] = 1;
    j["q_lora_rank"] = nullptr;
    j["eos_token_id"] = {1, 2};
  }).value();
  EXPECT_EQ(kimi.q_lora_rank, 0);
  EXPECT_EQ(kimi.eos_token_ids.size(), 2u);
  EXPECT_EQ(with([](Json& j) { j["quantization_config"]["scale_fmt"] = "ue8m0"; }).value().scale_format, ScaleFormat::ue8m0);
}

struct Refusal {
  const char* key;
  std::function<void(Json&)> change;
};

TEST(Config, RefusesNamingFileKeyAndRemedy) {
  const std::vector<Refusal> refusals = {
      {"hidden_size", [](Json& j) { j.erase("hidden_size"); }},
      {"hidden_size", [](Json& j) { j["hidden_size"] = -1; }},
      {"hidden_size", [](Json& j) { j["hidden_size"] = "7168"; }},
      {"hidden_size", [](Json& j) { j["hidden_size"] = 7168.5; }},
      {"vocab_size", [](Json& j) { j["vocab_size"] = uint64_t{1} << 63; }},
      {"num_hidden_layers", [](Json& j) { j["num_hidden_layers"] = 1000000000; }},
      {"num_key_value_heads", [](Json& j) { j["num_key_value_heads"] = 8; }},
      {"qk_rope_head_dim", [](Json& j) { j["qk_rope_head_dim"] = 63; }},
      {"scoring_func", [](Json& j) { j["scoring_func"] = "softmax"; }},
      {"topk_method", [](Json& j) { j["topk_method"] = "group_limited_greedy"; }},
      {"topk_method", [](Json& j) { j.erase("topk_method"); }},
      {"n_group", [](Json& j) { j["n_group"] = 7; }},
      {"topk_group", [](Json& j) { j["topk_group"] = 9; }},
      {"num_experts_per_tok", [](Json& j) { j["num_experts_per_tok"] = 200; }},
      {"model_type", [](Json& j) { j["model_type"] = "deepseek_v2"; }},
      {"model_type", [](Json& j) { j.erase("model_type"); }},
      {"attention_bias", [](Json& j) { j["attention_bias"] = true; }},
      {"tie_word_embeddings", [](Json& j) { j["tie_word_embeddings"] = true; }},
      {"hidden_act", [](Json& j) { j["hidden_act"] = "gelu"; }},
      {"rope_scaling.type", [](Json& j) { j["rope_scaling"]["type"] = "linear"; }},
      {"rope_scaling.factor", [](Json& j) { j["rope_scaling"].erase("factor"); }},
      {"rope_scaling", [](Json& j) { j["rope_scaling"] = 3; }},
      {"quantization_config.weight_block_size", [](Json& j) { j["quantization_config"]["weight_block_size"] = {64, 64}; }},
      {"quantization_config.quant_method", [](Json& j) { j["quantization_config"]["quant_method"] = "awq"; }},
      {"quantization_config.scale_fmt", [](Json& j) { j["quantization_config"]["scale_fmt"] = "e5m2"; }},
      {"eos_token_id", [](Json& j) { j["eos_token_id"] = 129280; }},
      {"bos_token_id", [](Json& j) { j["bos_token_id"] = -5; }},
      {"rms_norm_eps", [](Json& j) { j["rms_norm_eps"] = "x"; }},
      {"num_nextn_predict_layers", [](Json& j) { j["num_nextn_predict_layers"] = 1000; }},
  };
  for (const Refusal& r : refusals) {
    const auto result = with(r.change);
    ASSERT_FALSE(result) << r.key;
    const std::string line = result.error().line();
    EXPECT_EQ(result.error().key, r.key) << line;
    EXPECT_NE(line.find("dir/config.json"), std::string::npos) << line;
    EXPECT_FALSE(result.error().remedy.empty()) << line;
    EXPECT_LT(line.size(), 400u);
  }
}

TEST(Config, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "3", "{\"a\":", "null"}) EXPECT_FALSE(parse_config(text, "config.json")) << text;
  EXPECT_FALSE(parse_config(std::string(100000, '[') + std::string(100000, ']'), "config.json"));
}

}  // namespace
}  // namespace fathom::model
