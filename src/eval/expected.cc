#include "eval/expected.h"

#include <charconv>
#include <optional>

namespace fathom::eval {
namespace {

constexpr const char* kRemedy = "use a file made for this model (golden/README.md lists the keys)";

// The number between `before` and `after` in `name`, when name is exactly that.
std::optional<int64_t> number_in(std::string_view name, std::string_view before, std::string_view after) {
  if (!name.starts_with(before) || !name.ends_with(after) || name.size() <= before.size() + after.size()) return {};
  const std::string_view digits = name.substr(before.size(), name.size() - before.size() - after.size());
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return {};
  return value;
}

struct Wanted {
  Content content;
  int64_t index, rows_short, width;  // [B, T - rows_short, width]
  DType dtype;
};

std::optional<Wanted> wanted(std::string_view name, const model::Config& c) {
  if (name == "logits") return Wanted{Content::logits, 0, 0, c.vocab_size, DType::f32};
  if (name == "logits_act_quant") return Wanted{Content::logits_act_quant, 0, 0, c.vocab_size, DType::f32};
  if (const auto n = number_in(name, "hidden.", ""); n && *n <= c.num_hidden_layers)
    return Wanted{Content::hidden, *n, 0, c.hidden_size, DType::f32};
  for (const auto& [suffix, content] : {std::pair{".logits", Content::mtp_logits}, {".logits_prenorm", Content::mtp_logits_prenorm}})
    if (const auto n = number_in(name, "mtp.", suffix); n && *n < c.num_nextn_predict_layers)
      return Wanted{content, *n, *n + 1, c.vocab_size, DType::f32};
  for (const auto& [suffix, content, type] : {std::tuple{".mlp.topk_index", Content::experts, DType::i32},
                                              {".mlp.topk_weight", Content::weights, DType::f32}}) {
    const auto n = number_in(name, "model.layers.", suffix);
    if (!n || *n >= c.all_layers()) continue;
    const int64_t module = *n - c.num_hidden_layers;
    if (module < 0 && !c.is_moe(*n)) continue;
    return Wanted{content, *n, std::max<int64_t>(module + 1, 0), c.num_experts_per_tok, type};
  }
  return std::nullopt;
}

}  // namespace

Expected::Expected(const std::string& path, const model::Config& config)
    : file_(io::SafetensorsFile::open(path).value()) {
  if (!file_.header().unusable().empty())
    throw Exception({path, std::string(file_.header().unusable().front().name), "has a type that no key has", kRemedy});
  read_ids(config);
  for (const io::TensorInfo& tensor : file_.tensors()) {
    if (tensor.name == "input_ids") continue;
    keys_.push_back(tensor.name == "greedy" ? ExpectedKey{"greedy", Content::greedy, 0, &tensor} : classify(tensor, config));
  }
}

ExpectedKey Expected::classify(const io::TensorInfo& tensor, const model::Config& config) const {
  const std::string name(tensor.name);
  const auto want = wanted(name, config);
  if (!want) throw Exception({file_.path(), name, "is not a key that this model can be compared by", kRemedy});
  const Shape shape{sequences_, tokens_ - want->rows_short, want->width};
  if (tensor.shape != shape || tensor.dtype != want->dtype)
    throw Exception({file_.path(), name,
                     "is " + std::string(name_of(tensor.dtype)) + " " + tensor.shape.text() + ", must be " +
                         std::string(name_of(want->dtype)) + " " + shape.text(),
                     kRemedy});
  return {name, want->content, want->index, &tensor};
}

void Expected::read_ids(const model::Config& config) {
  const auto ids = [&](const char* key, const io::TensorInfo& tensor) {
    if (tensor.dtype != DType::i64) throw Exception({file_.path(), key, "is not I64", kRemedy});
    std::vector<int32_t> out;
    for (int64_t i = 0; i < tensor.shape.elements(); ++i) {
      const int64_t id = file_.data_as<int64_t>(tensor)[i];
      if (id < 0 || id >= config.vocab_size)
        throw Exception({file_.path(), key, "holds id " + std::to_string(id) + ", outside the vocabulary", kRemedy});
      out.push_back(static_cast<int32_t>(id));
    }
    return out;
  };
  const io::TensorInfo& input = file_.require("input_ids");
  if (input.shape.rank() != 2 || input.shape[0] < 1 || input.shape[1] <= config.num_nextn_predict_layers + 1 ||
      input.shape[1] > config.max_position_embeddings)
    throw Exception({file_.path(), "input_ids", "has shape " + input.shape.text() + ", must be [B, T] within the context", kRemedy});
  const std::vector<int32_t> all = ids("input_ids", input);
  sequences_ = input.shape[0];
  tokens_ = input.shape[1];
  for (int64_t b = 0; b < sequences_; ++b)
    inputs_.emplace_back(all.begin() + b * tokens_, all.begin() + (b + 1) * tokens_);
  if (const io::TensorInfo* tensor = file_.find("greedy")) {
    greedy_ = ids("greedy", *tensor);
    if (tensor->shape.rank() != 1 || greedy_.size() <= 12 || tokens_ < 12)
      throw Exception({file_.path(), "greedy", "must be 12 ids of the first input and what follows them", kRemedy});
  }
}

const ExpectedKey* Expected::find(Content content, int64_t index) const {
  for (const ExpectedKey& key : keys_)
    if (key.content == content && key.index == index) return &key;
  return nullptr;
}

}  // namespace fathom::eval
