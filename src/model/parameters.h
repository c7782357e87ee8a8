// The parameters of a model, as views, and the one visitor that names them.
//
// Loading, random initialisation, counting and writing all go through for_each_parameter: a parameter that exists is
// named there and nowhere else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/config.h"
#include "tensor/weight.h"

namespace fathom::model {

struct AttentionParameters {
  Weight q;                     // [N * (nope + rope), H], only without q_lora_rank
  Weight q_a, q_a_norm, q_b;    // [q_lora, H], [q_lora], [N * (nope + rope), q_lora]
  Weight kv_a, kv_a_norm;       // [R + rope, H], [R]
  Weight kv_b;                  // [N * (nope + v), R]: per head the rows of W_UK, then those of W_UV
  Weight o;                     // [H, N * v]
};

struct FfnParameters {
  Weight gate, up, down;  // [I, H], [I, H], [H, I]
};

struct MoeParameters {
  Weight router, bias;  // [E, H], [E]
  std::vector<FfnParameters> experts;
  FfnParameters shared;
};

struct LayerParameters {
  Weight attention_norm, ffn_norm;  // [H]
  AttentionParameters attention;
  bool is_moe = false;
  FfnParameters dense;  // when not is_moe
  MoeParameters moe;    // when is_moe
};

struct MtpParameters {
  Weight embed;         // [V, H]; absent: the main model's
  Weight enorm, hnorm;  // [H]
  Weight eh_proj;       // [H, 2 H]: embedding first, then hidden
  LayerParameters layer;
  Weight norm;          // [H], shared_head.norm
  Weight head;          // [V, H]; absent: the main model's
};

struct Parameters {
  Weight embed;  // [V, H]
  std::vector<LayerParameters> layers;
  Weight norm;  // [H]
  Weight head;  // [V, H]
  std::vector<MtpParameters> mtp;
};

enum class ParameterKind : uint8_t {
  projection,   // stored in FP8 by the official files
  matrix,       // stored in BF16: embedding, head, eh_proj, router
  norm,         // vector, one at initialisation
  router_bias,  // vector in F32, zero at initialisation
  shared_copy,  // an MTP module's embedding or head: may be absent and is then the main model's
};

struct ParameterSpec {
  std::string name;  // in the file
  int64_t rows, cols;  // a vector has rows 1
  ParameterKind kind;

  bool is_vector() const { return kind == ParameterKind::norm || kind == ParameterKind::router_bias; }
};

// Makes room for all layers, experts and modules that the configuration has.
Parameters empty_parameters(const Config& config);

// Calls visit for every parameter, in the order of the official files: embedding, layers, norm, head, MTP modules.
// REQUIRES: `parameters` comes from empty_parameters(config).
void for_each_parameter(const Config& config, Parameters& parameters,
                        const std::function<void(const ParameterSpec&, Weight&)>& visit);

// What a configuration adds up to.
struct ParameterCount {
  int64_t total = 0;      // main model with embedding and head
  int64_t activated = 0;  // of those, what one token uses (embedding row table counted whole, as the report does)
  int64_t mtp = 0;        // all modules, their copies of embedding and head left out
};
ParameterCount count_parameters(const Config& config);

}  // namespace fathom::model
