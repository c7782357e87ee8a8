// One step of a model: rows of any sequences, prompt chunks and single generated tokens alike.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/paged_latent.h"
#include "numeric/scaling.h"
#include "tensor/mat.h"

namespace fathom::model {

// What enters. Rows of one sequence come in rising position, each position once; the cache holds all earlier ones.
struct Step {
  std::span<const int32_t> tokens;     // [T], each in [0, V)
  std::span<const int32_t> positions;  // [T], the same that `rows` points to
  kernels::RowMap rows;
  std::span<const kernels::PagedLatent> cache;  // one a layer, the MTP modules' last
};

// Watches a step; called between operations, from the thread that runs it.
class Observer {
 public:
  virtual ~Observer() = default;
  // The residual stream: 0 = embedding, L = after layer L - 1. [T, H]
  virtual void hidden(int64_t, Mat<const float>) {}
  // What layer `layer` chose (the MTP modules' layers count on): router logits [T, E], experts and weights [T, K].
  virtual void routed(int64_t, Mat<const float>, Mat<const int32_t>, Mat<const float>) {}
};

class Residency;

// Choices beyond the context's mode.
struct Options {
  const Residency* residency = nullptr;  // where experts come from when not all fit; null: they are used where mapped
  bool act_quant = false;  // round the input of every FP8 linear to FP8 in tiles of 1x128
  ScaleFormat act_format = ScaleFormat::f32;
  bool mtp_prenorm = false;  // feed MTP modules the residual stream itself instead of its norm
};

}  // namespace fathom::model
