// Row-wise operations as templates over the vector type S (simd_avx2.h, simd_avx512.h). Every function works
// on one row, or part of one, on the calling thread.
#pragma once

#include "kernels/cpu/scale_row.h"
#include "kernels/cpu/simd_math.h"
#include "kernels/moe.h"

namespace fathom::kernels::cpu {

// y = silu(gate) up
template <class S>
void swiglu_row(const float* gate, const float* up, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + S::kLanes <= n; i += S::kLanes) {
    const auto g = S::load(gate + i);
    S::store(y + i, S::mul(S::mul(g, sigmoid<S>(g)), S::load(up + i)));
  }
  const auto g = S::load_n(gate + i, n - i);
  S::store_n(y + i, S::mul(S::mul(g, sigmoid<S>(g)), S::load_n(up + i, n - i)), n - i);
}

// The first `n` of kCount stored elements, and zeros.
template <int64_t kCount, DType D>
struct PaddedStep {
  alignas(64) std::byte bytes[kCount * static_cast<int64_t>(size_of(D))] = {};
  PaddedStep(const std::byte* p, int64_t n) { std::memcpy(bytes, p, static_cast<size_t>(n) * size_of(D)); }
};

// The first `n` of kStep stored elements; the others are zero.
template <class S, DType D>
void decode_n(const std::byte* p, int64_t n, typename S::F (&out)[S::kStepVectors]) {
  S::template decode<D>(PaddedStep<S::kStep, D>(p, n).bytes, out);
}

// n elements to floats, times the scale of each 128 columns for FP8.
template <class S, DType D>
void dequantize(const std::byte* p, const std::byte* scales, int64_t n, float* out) {
  typename S::F v[S::kStepVectors];
  const auto scale_at = [scales](int64_t i) {
    return S::set1(D == DType::e4m3 ? S::kE4m3Unit * load_scale(scales, i) : 1.0f);
  };
  int64_t i = 0;
  for (; i + S::kStep <= n; i += S::kStep) {
    S::template decode<D>(p + static_cast<size_t>(i) * size_of(D), v);
    const auto scale = scale_at(i);
#pragma GCC unroll 4
    for (int j = 0; j < S::kStepVectors; ++j)
      S::store(out + i + j * S::kLanes, D == DType::e4m3 ? S::mul(v[j], scale) : v[j]);
  }
  if (i == n) return;
  decode_n<S, D>(p + static_cast<size_t>(i) * size_of(D), n - i, v);
  const auto scale = scale_at(i);
  for (int j = 0; j < S::kStepVectors; ++j) {
    const int64_t left = n - i - j * S::kLanes;
    if (left <= 0) return;
    S::store_n(out + i + j * S::kLanes, D == DType::e4m3 ? S::mul(v[j], scale) : v[j],
               left < S::kLanes ? left : S::kLanes);
  }
}

// y = weight x / sqrt(mean(x^2) + eps)
template <class S, DType D>
void rms_norm_row(const float* x, const std::byte* weight, float eps, float* y, int64_t n) {
  typename S::Squares squares;
  int64_t i = 0;
  for (; i + S::kLanes <= n; i += S::kLanes) squares.add(S::load(x + i));
  squares.add(S::load_n(x + i, n - i));
  const double mean = squares.total() / static_cast<double>(n);
  const auto inverse = S::set1(static_cast<float>(1.0 / __builtin_sqrt(mean + static_cast<double>(eps))));
  typename S::F w[S::kStepVectors];
  for (i = 0; i < n; i += S::kStep) {
    const std::byte* at = weight + static_cast<size_t>(i) * size_of(D);
    const int64_t count = n - i < S::kStep ? n - i : S::kStep;
    if (count == S::kStep)
      S::template decode<D>(at, w);
    else
      decode_n<S, D>(at, count, w);
#pragma GCC unroll 4
    for (int j = 0; j < S::kStepVectors; ++j) {
      const int64_t left = count - j * S::kLanes, c = i + j * S::kLanes;
      if (left >= S::kLanes)
        S::store(y + c, S::mul(w[j], S::mul(S::load(x + c), inverse)));
      else if (left > 0)
        S::store_n(y + c, S::mul(w[j], S::mul(S::load_n(x + c, left), inverse)), left);
    }
  }
}

// Rotates the pairs of one head: (x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin).
template <class S>
void rope_head(float* x, const float* cos, const float* sin, int64_t dim) {
  int64_t i = 0;
  for (; i + S::kLanes <= dim; i += S::kLanes) {
    const auto v = S::load(x + i);
    const auto s = S::negate_even(S::double_each(sin + i / 2));
    S::store(x + i, S::fma(v, S::double_each(cos + i / 2), S::mul(S::swap_pairs(v), s)));
  }
  for (; i < dim; i += 2) {
    const float c = cos[i / 2], s = sin[i / 2], x0 = x[i], x1 = x[i + 1];
    x[i] = __builtin_fmaf(x0, c, -(x1 * s));
    x[i + 1] = __builtin_fmaf(x1, c, x0 * s);
  }
}

// One tile of at most 128 values through FP8 and back.
template <class S>
void act_quant_tile(const float* x, float* y, int64_t n, float floor, ScaleFormat format) {
  auto amax = S::zero();
  int64_t i = 0;
  for (; i + S::kLanes <= n; i += S::kLanes) amax = S::max(S::abs(S::load(x + i)), amax);
  amax = S::max(S::abs(S::load_n(x + i, n - i)), amax);
  const auto scale = S::set1(tile_scale(S::largest(amax), floor, format));
  for (i = 0; i + S::kLanes <= n; i += S::kLanes)
    S::store(y + i, S::mul(S::round_e4m3(S::div(S::load(x + i), scale)), scale));
  S::store_n(y + i, S::mul(S::round_e4m3(S::div(S::load_n(x + i, n - i), scale)), scale), n - i);
}

template <class S>
void store_bf16_row(const float* x, std::byte* out, int64_t n) {
  int64_t i = 0;
  for (; i + S::kLanes <= n; i += S::kLanes) S::store_bf16(out + i * 2, S::load(x + i));
  alignas(64) std::byte buffer[S::kLanes * 2];
  S::store_bf16(buffer, S::load_n(x + i, n - i));
  std::memcpy(out + i * 2, buffer, static_cast<size_t>(n - i) * 2);
}

template <class S>
void round_bf16_row(const float* x, float* out, int64_t n) {
  int64_t i = 0;
  for (; i + S::kLanes <= n; i += S::kLanes) S::store(out + i, S::round_bf16(S::load(x + i)));
  S::store_n(out + i, S::round_bf16(S::load_n(x + i, n - i)), n - i);
}

// y += sum_k weight[k] rows[k] + shared
template <class S>
void combine_row(const MoeCombine& op, int64_t t, int64_t begin, int64_t end) {
  const float* weight = op.weight.row(t);
  const int32_t* slot = op.slot.row(t);
  const auto at = [&](int64_t c, int64_t n) {
    auto sum = S::zero();
    for (int64_t k = 0; k < op.slot.cols; ++k)
      sum = S::fma(S::set1(weight[k]), S::load_n(op.routed.row(slot[k]) + c, n), sum);
    sum = S::add(sum, S::load_n(op.shared.row(t) + c, n));
    S::store_n(op.y.row(t) + c, S::add(S::load_n(op.y.row(t) + c, n), sum), n);
  };
  int64_t c = begin;
  for (; c + S::kLanes <= end; c += S::kLanes) at(c, S::kLanes);
  at(c, end - c);
}

// score = sigmoid(logit), choice = score + bias
template <class S>
void router_scores(const float* logits, const float* bias, float* score, float* choice, int64_t n) {
  for (int64_t i = 0; i < n; i += S::kLanes) {
    const int64_t count = n - i < S::kLanes ? n - i : S::kLanes;
    const auto s = sigmoid<S>(S::load_n(logits + i, count));
    S::store_n(score + i, s, count);
    S::store_n(choice + i, S::add(s, S::load_n(bias + i, count)), count);
  }
}

}  // namespace fathom::kernels::cpu
