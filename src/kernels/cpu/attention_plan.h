// How attention is cut for the pool.
//
// Keys are taken in stretches of kStretch by absolute position. A stretch yields, for a row and head, its
// largest score, the sum of exponentials and the weighted sum of latents; stretches are merged in order. So a
// row's bits depend on its position and its keys alone, and stretches may be computed by anyone.
#pragma once

#include <cstdint>

#include "kernels/mla_attention.h"

namespace fathom::kernels::cpu {

inline constexpr int64_t kStretch = 1024;

constexpr int64_t stretches(int64_t keys) { return (keys + kStretch - 1) / kStretch; }

// Consecutive rows of one sequence, and some heads of each, that meet a block of keys together. Column c of
// the group is head `head + c % heads` of row `row + c / heads`.
struct AttentionGroup {
  int64_t row = 0, rows = 0, head = 0, heads = 0;
  int64_t longest = 0;  // keys of the row that has most
  int64_t columns() const { return rows * heads; }
};

// The softmax over some keys, for each column of a group.
struct PartialSoftmax {
  float *largest, *total;  // [columns]
  float* latent;           // [columns, latent]: sum of e^(score - largest) latent_j
  static int64_t floats(int64_t columns, int64_t latent) {
    return (2 * columns + 15) / 16 * 16 + columns * latent;
  }
  PartialSoftmax(float* memory, int64_t columns)
      : largest(memory), total(memory + columns), latent(memory + (2 * columns + 15) / 16 * 16) {}
};

class AttentionPlan {
 public:
  // Groups of at most `columns` columns, a row's heads counting as whole multiples of `unit`, in the pool's
  // shared scratch, with room for every stretch's result when there are too few groups for the threads.
  AttentionPlan(const Context& ctx, const MlaAttention& op, int64_t columns, int64_t unit);

  int64_t groups() const { return groups_; }
  const AttentionGroup& group(int64_t i) const { return group_[i]; }
  // Whether stretches are computed apart and merged afterwards.
  bool split() const { return partial_ != nullptr; }
  int64_t stretch_chunks() const { return chunks_; }
  struct Stretch {
    int64_t group, index;
  };
  Stretch stretch(int64_t chunk) const;
  PartialSoftmax partial(int64_t group, int64_t index) const;

 private:
  AttentionGroup* group_ = nullptr;
  int64_t* first_chunk_ = nullptr;  // of each group
  int64_t groups_ = 0, chunks_ = 0, latent_ = 0, columns_ = 0;
  float* partial_ = nullptr;
};

}  // namespace fathom::kernels::cpu
