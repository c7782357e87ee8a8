// The row-wise operations over all rows, as templates over the vector type.
#pragma once

#include "kernels/cpu/arms.h"
#include "kernels/cpu/router_select.h"
#include "kernels/cpu/row_chunks.h"
#include "kernels/cpu/rows.h"

namespace fathom::kernels::cpu {

template <class S>
void act_quant_all(const Context& ctx, const ActQuant& op) {
  for_rows(ctx, op.x.rows, 4 * op.x.cols, [&](int64_t r, int) {
    for (int64_t c = 0; c < op.x.cols; c += kScaleBlock) {
      const int64_t n = op.x.cols - c < kScaleBlock ? op.x.cols - c : kScaleBlock;
      act_quant_tile<S>(op.x.row(r) + c, op.y.row(r) + c, n, op.floor, op.format);
    }
  });
}

template <class S, DType D>
void embed_all(const Context& ctx, const Embedding& op) {
  for_rows(ctx, op.y.rows, op.y.cols, [&](int64_t r, int) {
    const int64_t id = op.ids[static_cast<size_t>(r)];
    require_finite_scales(op.table, id, 1);
    dequantize<S, D>(op.table.row(id), scale_row(op.table, id), op.y.cols, op.y.row(r));
  });
}

template <class S>
void embedding_all(const Context& ctx, const Embedding& op) {
  switch (op.table.dtype) {
    case DType::f32:
      return embed_all<S, DType::f32>(ctx, op);
    case DType::bf16:
      return embed_all<S, DType::bf16>(ctx, op);
    case DType::f16:
      return embed_all<S, DType::f16>(ctx, op);
    case DType::e4m3:
      return embed_all<S, DType::e4m3>(ctx, op);
    default:
      FATHOM_CHECK(false);
  }
}

template <class S>
void latent_store_all(const Context& ctx, const LatentStore& op) {
  for_rows(ctx, op.rows.rows, op.cache.width(), [&](int64_t r, int) {
    const int64_t position = op.rows.position[r];
    std::byte* entry = op.cache.entry(op.rows.block(r, position), position % kBlockTokens);
    std::byte* rope = entry + static_cast<size_t>(op.cache.latent) * size_of(op.cache.dtype);
    if (op.cache.dtype == DType::bf16) {
      store_bf16_row<S>(op.latent.row(r), entry, op.cache.latent);
      store_bf16_row<S>(op.rope.row(r), rope, op.cache.rope);
    } else {
      std::memcpy(entry, op.latent.row(r), static_cast<size_t>(op.cache.latent) * sizeof(float));
      std::memcpy(rope, op.rope.row(r), static_cast<size_t>(op.cache.rope) * sizeof(float));
    }
  });
}

template <class S>
void moe_combine_all(const Context& ctx, const MoeCombine& op) {
  constexpr int64_t kColumns = 2048;  // one token's sum is worth spreading too
  const int64_t parts = (op.y.cols + kColumns - 1) / kColumns;
  for_rows(ctx, op.y.rows * parts, kColumns * (op.slot.cols + 1), [&](int64_t i, int) {
    const int64_t begin = i % parts * kColumns;
    const int64_t end = op.y.cols < begin + kColumns ? op.y.cols : begin + kColumns;
    combine_row<S>(op, i / parts, begin, end);
  });
}

template <class S>
void rms_norm_all(const Context& ctx, const RmsNorm& op) {
  for_rows(ctx, op.x.rows, op.x.cols, [&](int64_t r, int) {
    const auto row = [&]<DType D>() {
      rms_norm_row<S, D>(op.x.row(r), op.weight.data, op.eps, op.y.row(r), op.x.cols);
    };
    switch (op.weight.dtype) {
      case DType::f32:
        return row.template operator()<DType::f32>();
      case DType::bf16:
        return row.template operator()<DType::bf16>();
      case DType::f16:
        return row.template operator()<DType::f16>();
      default:
        FATHOM_CHECK(false);
    }
  });
}

template <class S>
void rope_all(const Context& ctx, const Rope& op) {
  for_rows(ctx, op.x.rows, op.x.heads * op.x.dim, [&](int64_t r, int) {
    for (int64_t h = 0; h < op.x.heads; ++h)
      rope_head<S>(op.x.at(r, h), op.cos.row(r), op.sin.row(r), op.x.dim);
  });
}

template <class S>
void router_all(const Context& ctx, const Router& op) {
  const int64_t experts = op.logits.cols;
  for_rows(ctx, op.logits.rows, experts * (op.index.cols + 8), [&](int64_t r, int thread) {
    const size_t bytes = static_cast<size_t>(router_scratch(op)) * sizeof(float);
    float* score = reinterpret_cast<float*>(ctx.pool->scratch(thread, bytes));
    router_scores<S>(op.logits.row(r), op.bias.data(), score, score + experts, experts);
    select_experts(op, r, score, score + experts, score + 2 * experts);
  });
}

template <class S>
void swiglu_all(const Context& ctx, const Swiglu& op) {
  for_rows(ctx, op.y.rows, 4 * op.y.cols,
           [&](int64_t r, int) { swiglu_row<S>(op.gate.row(r), op.up.row(r), op.y.row(r), op.y.cols); });
}

}  // namespace fathom::kernels::cpu
