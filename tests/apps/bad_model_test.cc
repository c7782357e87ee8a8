// What is wrong with a model directory is said in one line, with exit code 2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kIndex = "model.safetensors.index.json";

// One model directory for all tests of a process; each spoils a copy of it.
class BadModel : public testing::Test {
 protected:
  BadModel() {
    test::write_tiny_model(good_, model::CheckpointType::fp8, 150'000);
    restore();
  }
  void restore() {
    fs::remove_all(bad_);
    fs::copy(good_, bad_);
  }
  std::string path(const std::string& name) const { return bad_ + "/" + name; }
  std::string get(const std::string& name) const { return read_file(path(name)).value(); }
  void put(const std::string& name, const std::string& text) { write_file(path(name), text).value(); }

  // `fathom info` must refuse the directory with all of `says` in its line.
  void expect_refused(const std::string& what, const std::vector<std::string>& says) {
    const test::ProcessResult r = test::run_fathom({"info", bad_}, {.timeout = 60});
    EXPECT_EQ(r.code, 2) << what;
    EXPECT_EQ(r.out, "") << what;
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << what << ": " << r.err;
    EXPECT_LT(r.err.size(), 400u) << what;
    EXPECT_THAT(r.err, HasSubstr("; ")) << what << " names no remedy";
    for (const std::string& part : says) EXPECT_THAT(r.err, HasSubstr(part)) << what;
    EXPECT_LT(r.max_resident, size_t{600} << 20) << what;
  }

  // The header of a shard, changed by `edit`; the data stay.
  void edit_header(const std::string& file, const std::function<void(Json&)>& edit) {
    const std::string text = get(file);
    uint64_t length = 0;
    std::memcpy(&length, text.data(), 8);
    Json header = Json::parse(text.substr(8, length));
    edit(header);
    std::string changed = header.dump();
    const uint64_t size = changed.size();
    put(file, std::string(reinterpret_cast<const char*>(&size), 8) + changed + text.substr(8 + length));
  }
  // The shard that holds a tensor.
  std::string shard_of(const std::string& tensor) const {
    return Json::parse(get(kIndex))["weight_map"][tensor].get<std::string>();
  }
  void patch_index(const std::string& tensor, const std::string& file) {
    Json index = Json::parse(get(kIndex));
    index["weight_map"][tensor] = file;
    put(kIndex, index.dump());
  }

  test::TemporaryDirectory dir_;
  std::string good_ = dir_ / "good", bad_ = dir_ / "bad";
};

TEST_F(BadModel, ConfigurationValues) {
  const std::vector<std::pair<std::string, std::string>> table = {
      // a merge patch (null removes), and what the line must name
      {R"({"vocab_size": null})", "vocab_size"},
      {R"({"hidden_size": null})", "hidden_size"},
      {R"({"intermediate_size": null})", "intermediate_size"},
      {R"({"moe_intermediate_size": null})", "moe_intermediate_size"},
      {R"({"num_hidden_layers": null})", "num_hidden_layers"},
      {R"({"num_attention_heads": null})", "num_attention_heads"},
      {R"({"kv_lora_rank": null})", "kv_lora_rank"},
      {R"({"qk_nope_head_dim": null})", "qk_nope_head_dim"},
      {R"({"qk_rope_head_dim": null})", "qk_rope_head_dim"},
      {R"({"v_head_dim": null})", "v_head_dim"},
      {R"({"n_shared_experts": null})", "n_shared_experts"},
      {R"({"num_experts_per_tok": null})", "num_experts_per_tok"},
      {R"({"scoring_func": null})", "scoring_func"},
      {R"({"topk_method": null})", "topk_method"},
      {R"({"model_type": null})", "model_type"},
      {R"({"vocab_size": 0})", "vocab_size"},
      {R"({"vocab_size": -1})", "vocab_size"},
      {R"({"vocab_size": 1e30})", "vocab_size"},
      {R"({"vocab_size": 9223372036854775807})", "vocab_size"},
      {R"({"vocab_size": 18446744073709551615})", "vocab_size"},
      {R"({"vocab_size": 184467440737095516150})", "vocab_size"},
      {R"({"hidden_size": 72.0})", "hidden_size"},
      {R"({"hidden_size": "72"})", "hidden_size"},
      {R"({"hidden_size": true})", "hidden_size"},
      {R"({"hidden_size": [72]})", "hidden_size"},
      {R"({"hidden_size": {"a": 1}})", "hidden_size"},
      {R"({"num_hidden_layers": 1000000})", "num_hidden_layers"},
      {R"({"num_nextn_predict_layers": -1})", "num_nextn_predict_layers"},
      {R"({"num_nextn_predict_layers": 1000})", "num_nextn_predict_layers"},
      {R"({"n_routed_experts": 65536, "num_hidden_layers": 1024, "n_group": 4})", "n_routed_experts"},
      {R"({"n_routed_experts": -8})", "n_routed_experts"},
      {R"({"num_experts_per_tok": 5})", "num_experts_per_tok"},
      {R"({"num_experts_per_tok": 0})", "num_experts_per_tok"},
      {R"({"n_group": 3})", "n_group"},
      {R"({"n_group": 0})", "n_group"},
      {R"({"topk_group": 5})", "topk_group"},
      {R"({"qk_rope_head_dim": 7})", "qk_rope_head_dim"},
      {R"({"num_key_value_heads": 1})", "num_key_value_heads"},
      {R"({"first_k_dense_replace": -1})", "first_k_dense_replace"},
      {R"({"moe_layer_freq": 0})", "moe_layer_freq"},
      {R"({"rms_norm_eps": "small"})", "rms_norm_eps"},
      {R"({"rms_norm_eps": -1})", "rms_norm_eps"},
      {R"({"routed_scaling_factor": 0})", "routed_scaling_factor"},
      {R"({"norm_topk_prob": 1})", "norm_topk_prob"},
      {R"({"max_position_embeddings": 0})", "max_position_embeddings"},
      {R"({"rope_theta": 0})", "rope_theta"},
      {R"({"rope_scaling": "yarn"})", "rope_scaling"},
      {R"({"rope_scaling": {"type": "linear"}})", "rope_scaling"},
      {R"({"rope_scaling": {"factor": "big"}})", "rope_scaling"},
      {R"({"rope_scaling": {"factor": null}})", "rope_scaling"},
      {R"({"rope_scaling": {"beta_fast": -4}})", "beta_fast"},
      {R"({"eos_token_id": "end"})", "eos_token_id"},
      {R"({"eos_token_id": [1, 320]})", "eos_token_id"},
      {R"({"bos_token_id": 320})", "bos_token_id"},
      {R"({"model_type": "deepseek_v2"})", "model_type"},
      {R"({"model_type": 7})", "model_type"},
      {R"({"scoring_func": "softmax"})", "scoring_func"},
      {R"({"topk_method": "greedy"})", "topk_method"},
      {R"({"hidden_act": "gelu"})", "hidden_act"},
      {R"({"attention_bias": true})", "attention_bias"},
      {R"({"tie_word_embeddings": true})", "tie_word_embeddings"},
      {R"({"quantization_config": 8})", "quantization_config"},
      {R"({"quantization_config": {"quant_method": "gptq"}})", "quant_method"},
      {R"({"quantization_config": {"weight_block_size": [64, 64]}})", "weight_block_size"},
      {R"({"quantization_config": {"scale_fmt": "e8"}})", "scale_fmt"},
      // consistent in itself, but not what the weights are
      {R"({"hidden_size": 80})", "shape"},
      {R"({"vocab_size": 321})", "[320, 72]"},
      {R"({"kv_lora_rank": 50})", "kv_a"},
      {R"({"num_hidden_layers": 5})", "model.layers."},
      {R"({"n_routed_experts": 12})", "shape"},
      {R"({"q_lora_rank": null})", "q_proj"},
      {R"({"first_k_dense_replace": 0})", "model.layers.0.mlp"},
  };
  const Json config = Json::parse(get("config.json"));
  for (const auto& [patch, says] : table) {
    Json changed = config;
    changed.merge_patch(Json::parse(patch));
    put("config.json", changed.dump());
    expect_refused(patch, {bad_, says});
  }
}

TEST_F(BadModel, ConfigurationTexts) {
  const std::string good = get("config.json");
  const std::string deep(100'000, '[');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("{}"), deep,
        R"({"model_type": )" + deep, std::string("\xEF\xBB\xBF") + good, std::string("{\"a\": \"\xff\xfe\"}"),
        std::string(R"({"vocab_size": 1, "vocab_size": 1})"), good + "x", std::string("{\"a\": NaN}"),
        std::string(1 << 22, ' '), std::string(10, '\0')}) {
    put("config.json", text);
    expect_refused(text.substr(0, 30), {"config.json"});
  }
}

TEST_F(BadModel, Paths) {
  const std::string tensor = "lm_head.weight";
  for (const char* file :
       {"../good/model.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".", "", "x\\..\\y.bin"}) {
    restore();
    patch_index(tensor, file);
    expect_refused(file, {kIndex});
  }
  restore();
  patch_index(tensor, "model-00009-of-00009.safetensors");
  expect_refused("missing shard", {"model-00009-of-00009.safetensors"});
  restore();
  fs::remove(path(shard_of(tensor)));
  expect_refused("missing shard", {shard_of(tensor)});
  restore();
  fs::remove(path(kIndex));
  expect_refused("no index", {bad_});
  put("config.json", "{}");
  fs::remove(path("config.json"));
  expect_refused("no config", {"config.json"});
  fs::create_directory(path("config.json"));
  expect_refused("a directory as config", {"config.json"});
  fs::remove(path("config.json"));
  ASSERT_EQ(::mkfifo(path("config.json").c_str(), 0600), 0);
  expect_refused("a pipe as config", {"config.json"});
  fs::remove_all(bad_);
  expect_refused("no directory", {bad_});
  write_file(bad_, "x").value();
  expect_refused("a file", {bad_});
}

TEST_F(BadModel, Indexes) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"weight_map": []})"),
        std::string(R"({"weight_map": {"a": 1}})"), std::string(100'000, '['),
        R"({"weight_map": )" + std::string(100'000, '[')}) {
    put(kIndex, text);
    expect_refused(text.substr(0, 30), {kIndex});
  }
  restore();
  patch_index("lm_head.weight", shard_of("model.embed_tokens.weight"));
  expect_refused("a tensor in another file", {"lm_head.weight"});
}

TEST_F(BadModel, Shards) {
  const std::string tensor = "model.layers.1.mlp.gate.weight", file = shard_of(tensor);
  const std::string text = get(file);
  const auto expect_file_refused = [&](const std::string& what, const std::vector<std::string>& says = {}) {
    std::vector<std::string> all = says;
    all.push_back(file);
    expect_refused(what, all);
  };
  put(file, text.substr(0, text.size() - 1));
  expect_file_refused("one byte short");
  put(file, text + "x");
  expect_file_refused("one byte more");
  put(file, text.substr(0, 100));
  expect_file_refused("only the beginning of a header");
  put(file, "");
  expect_file_refused("empty");
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{100'000'001}, UINT64_MAX, UINT64_MAX - 8, uint64_t{text.size()}}) {
    put(file, std::string(reinterpret_cast<const char*>(&length), 8) + text.substr(8));
    expect_file_refused("header of " + std::to_string(length));
  }
  const auto expect_edit_refused = [&](const std::string& what, const std::function<void(Json&)>& edit,
                                       const std::vector<std::string>& says) {
    put(file, text);
    edit_header(file, [&](Json& header) { edit(header[tensor]); });
    expect_file_refused(what, says);
  };
  expect_edit_refused("unknown type", [](Json& t) { t["dtype"] = "Q4_K"; }, {tensor, "Q4_K"});
  expect_edit_refused("unusable type", [](Json& t) { t["dtype"] = "I16"; }, {tensor, "I16"});
  expect_edit_refused("wrong kind of type", [](Json& t) { t["dtype"] = "I32"; }, {tensor});
  expect_edit_refused("negative", [](Json& t) { t["shape"][0] = -8; }, {tensor});
  expect_edit_refused("lying shape", [](Json& t) { t["shape"] = {72, 8}; }, {tensor, "[72, 8]"});
  expect_edit_refused("too large", [](Json& t) { t["shape"] = {int64_t{1} << 62, 8}; }, {tensor});
  expect_edit_refused("shape of text", [](Json& t) { t["shape"] = "8x72"; }, {tensor});
  expect_edit_refused("no offsets", [](Json& t) { t.erase("data_offsets"); }, {tensor});
  expect_edit_refused("reversed offsets",
                      [](Json& t) { std::swap(t["data_offsets"][0], t["data_offsets"][1]); }, {tensor});
  expect_edit_refused("overlap",
                      [](Json& t) {
                        t["data_offsets"][0] = t["data_offsets"][0].get<int64_t>() - 2;
                        t["data_offsets"][1] = t["data_offsets"][1].get<int64_t>() - 2;
                      },
                      {});
  expect_edit_refused("beyond the end",
                      [](Json& t) {
                        t["data_offsets"][0] = t["data_offsets"][0].get<int64_t>() + (1 << 30);
                        t["data_offsets"][1] = t["data_offsets"][1].get<int64_t>() + (1 << 30);
                      },
                      {});
  put(file, text);
  edit_header(file, [&](Json& header) { header["other"] = header[tensor], header.erase(tensor); });
  expect_file_refused("renamed", {tensor});
}

TEST_F(BadModel, Scales) {
  const std::string weight = "model.layers.0.mlp.up_proj.weight", scales = weight + "_scale_inv";
  Json index = Json::parse(get(kIndex));
  index["weight_map"].erase(scales);
  put(kIndex, index.dump());
  expect_refused("no scales", {scales});
  restore();
  edit_header(shard_of(scales), [&](Json& header) { header[scales]["shape"] = {1, 2}; });
  expect_refused("scales of another shape", {scales});
  restore();
  edit_header(shard_of(scales), [&](Json& header) { header[scales]["shape"] = {2}; });
  expect_refused("scales of another rank", {scales});
}

TEST_F(BadModel, RouterBias) {
  const std::string bias = "model.layers.2.mlp.gate.e_score_correction_bias", file = shard_of(bias);
  std::string text = get(file);
  uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  const int64_t at = Json::parse(text.substr(8, length))[bias]["data_offsets"][0];
  const float nan = std::nanf("");
  std::memcpy(text.data() + 8 + length + static_cast<size_t>(at), &nan, 4);
  put(file, text);
  expect_refused("NaN", {bias});
}

TEST_F(BadModel, AllIsWellWithoutChanges) {
  const test::ProcessResult r = test::run_fathom({"info", bad_});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
}

}  // namespace
}  // namespace fathom
