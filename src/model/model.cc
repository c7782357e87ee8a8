#include "model/model.h"

#include <cmath>

#include "tensor/element.h"

namespace fathom::model {
namespace {

Error mismatch(const io::TensorRef& tensor, const std::string& problem) {
  return {tensor.path(), std::string(tensor.name()), problem, "config.json and the weights must belong together"};
}

void bind_scales(const io::ModelDirectory& directory, const ParameterSpec& spec, Weight& w) {
  const std::string name = spec.name + "_scale_inv";
  const auto scales = directory.lookup(name);
  if (!scales)
    throw Exception({directory.path(), name, "is missing, but the weight is FP8", "fetch the complete set of shards"});
  const Shape wanted{scale_blocks(spec.rows), scale_blocks(spec.cols)};
  if (scales->dtype != DType::f32) throw Exception(mismatch(*scales, "is not F32"));
  if (scales->shape != wanted)
    throw Exception(mismatch(*scales, "has shape " + scales->shape.text() + ", not " + wanted.text()));
  w.scales = scales->data;
  w.scale_cols = wanted[1];
}

void bind(const io::ModelDirectory& directory, const ParameterSpec& spec, Weight& w) {
  const auto tensor = directory.lookup(spec.name);
  if (!tensor) {
    if (spec.kind == ParameterKind::shared_copy) return;
    throw Exception({directory.path(), spec.name, "no file holds this tensor", "fetch the complete set of shards"});
  }
  const Shape wanted = spec.is_vector() ? Shape{spec.cols} : Shape{spec.rows, spec.cols};
  if (tensor->shape != wanted)
    throw Exception(mismatch(*tensor, "has shape " + tensor->shape.text() + ", the config says " + wanted.text()));
  const DType t = tensor->dtype;
  const bool floating = t == DType::f32 || t == DType::bf16 || t == DType::f16;
  if (!floating && !(t == DType::e4m3 && !spec.is_vector()))
    throw Exception(mismatch(*tensor, "has type " + std::string(name_of(t)) + ", which this parameter cannot have"));
  w = {.data = tensor->data, .dtype = t, .rows = spec.rows, .cols = spec.cols, .name = tensor->name()};
  if (t == DType::e4m3) bind_scales(directory, spec, w);
}

bool has_mtp_tensors(const io::ModelDirectory& directory, const Config& c) {
  const std::string prefix = "model.layers." + std::to_string(c.num_hidden_layers) + ".";
  for (const char* name : {"enorm.weight", "hnorm.weight", "eh_proj.weight", "input_layernorm.weight"})
    if (directory.lookup(prefix + name)) return true;
  return false;
}

std::vector<float> bias_values(const LayerParameters& layer) {
  std::vector<float> values;
  if (!layer.is_moe) return values;
  for (int64_t e = 0; e < layer.moe.bias.cols; ++e) {
    values.push_back(load_element(layer.moe.bias.data, layer.moe.bias.dtype, e));
    if (!std::isfinite(values.back()))
      throw Exception({std::string(layer.moe.bias.name), {}, "a router bias is NaN or infinite",
                       "the file is damaged: fetch it again"});
  }
  return values;
}

}  // namespace

Model open_model(const std::string& path) {
  io::ModelDirectory directory = io::ModelDirectory::open(path).value();
  Config config = parse_config(directory.config_text(), directory.file_path("config.json")).value();
  if (config.num_nextn_predict_layers > 0 && !has_mtp_tensors(directory, config)) config.num_nextn_predict_layers = 0;

  Model model{std::move(directory), config, empty_parameters(config), {}, rope_constants(config)};
  for_each_parameter(config, model.parameters,
                     [&](const ParameterSpec& spec, Weight& w) { bind(model.directory, spec, w); });
  for (const LayerParameters& layer : model.parameters.layers) model.router_bias.push_back(bias_values(layer));
  for (const MtpParameters& module : model.parameters.mtp) model.router_bias.push_back(bias_values(module.layer));
  return model;
}

}  // namespace fathom::model
