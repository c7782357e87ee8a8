#include "eval/kernel_cases.h"

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "kernels/rms_norm.h"
#include "kernels/router.h"
#include "kernels/swiglu.h"
#include "numeric/bf16.h"

namespace fathom::eval {

using namespace kernels;  // NOLINT: operands of everything

namespace {

std::vector<float> normal(size_t count, uint64_t seed) {
  std::vector<float> v(count);
  for (size_t i = 0; i < count; ++i) v[i] = normal_pair(seed, i, 0)[0];
  return v;
}

}  // namespace

KernelMemory::KernelMemory(int64_t bytes) : buffer_(static_cast<size_t>(bytes)) {
  uint64_t state = 88172645463325252ull;
  uint64_t* words = reinterpret_cast<uint64_t*>(buffer_.data());
  for (int64_t i = 0; i < bytes / 8; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    words[i] = (state & 0x8F8F8F8F8F8F8F8Full) | 0x3030303030303030ull;  // exponents of about one
  }
}

LinearSweep::LinearSweep(const KernelMemory& memory, DType dtype, int64_t m, int64_t n, int64_t k,
                         int64_t limit)
    : scales_(static_cast<size_t>(scale_blocks(n) * scale_blocks(k)), 0.01f),
      x_(normal(static_cast<size_t>(m * k), 1)),
      y_(static_cast<size_t>(m * n)),
      m_(m) {
  Weight w;
  w.dtype = dtype;
  w.rows = n;
  w.cols = k;
  if (dtype == DType::e4m3)
    w.scales = reinterpret_cast<const std::byte*>(scales_.data()), w.scale_cols = scale_blocks(k);
  const int64_t count =
      std::min(limit, (static_cast<int64_t>(memory.bytes().size()) - 8) / static_cast<int64_t>(w.bytes()));
  for (int64_t i = 0; i < count; ++i) {
    // Files promise no alignment: eight bytes off is what a header of JSON leaves.
    w.data = memory.data() + 8 + static_cast<size_t>(i) * w.bytes();
    weights_.push_back(w);
  }
}

void LinearSweep::run(const Context& ctx) const {
  for (const Weight& w : weights_) {
    const LinearTask task{{x_.data(), m_, w.cols}, w, {y_.data(), m_, w.rows}};
    linear(ctx, {{&task, 1}, kernels::Form::nt, Write::overwrite, kernels::Operands::by_mode});
  }
}

HeadProducts::HeadProducts(const KernelMemory& memory, int64_t m)
    : x_(normal(static_cast<size_t>(m * 16 * 128), 2)),
      y_(static_cast<size_t>(m * 16 * 512)),
      scales_(32 * 4, 0.01f) {
  Weight kv_b;
  kv_b.data = memory.data();
  kv_b.dtype = DType::e4m3;
  kv_b.rows = 16 * 256;
  kv_b.cols = 512;
  kv_b.scales = reinterpret_cast<const std::byte*>(scales_.data());
  kv_b.scale_cols = 4;
  for (int64_t h = 0; h < 16; ++h)
    tasks_.push_back({{x_.data() + h * 128, m, 128, 16 * 128},
                      kv_b.rows_from(h * 256, 128),
                      {y_.data() + h * 512, m, 512, 16 * 512}});
}

void HeadProducts::run(const Context& ctx) const {
  linear(ctx, {tasks_, kernels::Form::nn, Write::overwrite, kernels::Operands::by_mode});
}

AttentionCase::AttentionCase(int64_t rows, int64_t keys, int64_t heads, int64_t first_position)
    : heads_(heads),
      cache_bytes_(static_cast<size_t>((keys + kernels::kBlockTokens - 1) / kernels::kBlockTokens *
                                       kernels::kBlockTokens) *
                   576 * 2),
      q_(normal(static_cast<size_t>(rows * heads * 576), 3)),
      out_(static_cast<size_t>(rows * heads * 512)) {
  const int64_t blocks = (keys + kernels::kBlockTokens - 1) / kernels::kBlockTokens;
  cache_ = {cache_bytes_.data(), DType::bf16, blocks, 512, 64};
  bf16* values = reinterpret_cast<bf16*>(cache_bytes_.data());
  for (size_t i = 0; i < cache_bytes_.bytes() / 2; ++i)
    values[i] = to_bf16(static_cast<float>((i * 2654435761u) % 1000) * 1e-3f - 0.5f);
  for (int64_t b = 0; b < blocks; ++b) table_.push_back(static_cast<int32_t>(blocks - 1 - b));
  for (int64_t r = 0; r < rows; ++r) {
    sequence_.push_back(0);
    position_.push_back(static_cast<int32_t>(first_position + r));
  }
  const int64_t stride = heads * 576;
  op_.q_latent = {q_.data(), rows, heads, 512, stride, 576};
  op_.q_rope = {q_.data() + 512, rows, heads, 64, stride, 576};
  op_.rows = {rows, sequence_.data(), position_.data(), {table_.data(), 1, blocks}};
  op_.cache = cache_;
  op_.scale = 0.07f;
  op_.out = {out_.data(), rows, heads, 512, heads * 512, 512};
}

void AttentionCase::run(const Context& ctx) { mla_attention(ctx, op_); }

double AttentionCase::flop() const {
  double keys = 0;
  for (int32_t p : position_) keys += p + 1;
  return keys * static_cast<double>(heads_) * 2 * (576 + 512);
}

namespace {

using Tell = std::function<void(const KernelDeviation&)>;

void compare_products(const Context& given, const Tell& tell) {
  const KernelMemory memory(int64_t{64} << 20);
  for (Mode mode : {Mode::faithful, Mode::fast}) {
    for (DType dtype : {DType::f32, DType::bf16, DType::e4m3}) {
      double worst = 0;
      for (auto [m, n, k] :
           {std::array<int64_t, 3>{1, 300, 7168}, {17, 130, 7168}, {40, 70, 2000}, {3, 512, 18432}}) {
        Context ctx = given, ref = given;
        ctx.mode = ref.mode = mode;
        ref.backend = Backend::ref;
        Weight w;
        w.data = memory.data() + 1;
        w.dtype = dtype;
        w.rows = n;
        w.cols = k;
        std::vector<float> scales(static_cast<size_t>(scale_blocks(n) * scale_blocks(k)));
        for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.01f + 0.001f * static_cast<float>(i % 7);
        if (dtype == DType::e4m3)
          w.scales = reinterpret_cast<const std::byte*>(scales.data()), w.scale_cols = scale_blocks(k);
        const std::vector<float> x = normal(static_cast<size_t>(m * k), 4);
        std::vector<float> a(static_cast<size_t>(m * n)), b(a);
        const LinearTask one{{x.data(), m, k}, w, {a.data(), m, n}},
            two{{x.data(), m, k}, w, {b.data(), m, n}};
        linear(ctx, {{&one, 1}});
        linear(ref, {{&two, 1}});
        // The products' magnitudes are those of x times about 1 (0.01 for FP8): the norm of a row's noise.
        double noise = 0, size = 0;
        for (size_t i = 0; i < a.size(); ++i) {
          noise = std::max(noise, static_cast<double>(std::fabs(a[i] - b[i])));
          size = std::max(size, static_cast<double>(std::fabs(b[i])));
        }
        worst = std::max(worst, noise / (size * std::sqrt(static_cast<double>(k)) * 0x1p-24));
      }
      tell({.isa = given.isa,
            .name = "linear " + std::string(fathom::name_of(dtype)) +
                    (mode == Mode::fast ? " fast" : " faithful"),
            .unit = "sqrt(k) 2^-24 max|y|",
            .value = worst,
            .bound = 4});
    }
  }
}

// Probabilities are rounded to BF16 in fast mode, so half a unit of BF16 of the values' size is what may
// differ.
void compare_attention(const Context& ctx, const Tell& tell) {
  Context ref = ctx;
  ref.backend = Backend::ref;
  AttentionCase a(40, 1100, 16, 1050), b(40, 1100, 16, 1050);
  a.run(ctx);
  b.run(ref);
  double worst = 0, size = 0;
  for (size_t i = 0; i < a.out().size(); ++i) {
    worst = std::max(worst, static_cast<double>(std::fabs(a.out()[i] - b.out()[i])));
    size = std::max(size, static_cast<double>(std::fabs(b.out()[i])));
  }
  tell({.isa = ctx.isa,
        .name = "attention fast",
        .unit = "2^-8 max|out|",
        .value = worst / (size * 0x1p-8),
        .bound = 1});
}

}  // namespace

void compare_with_reference(const Context& ctx, const Tell& tell) {
  compare_products(ctx, tell);
  compare_attention(ctx, tell);
}

void small_operations(
    const Context& ctx,
    const std::function<void(const std::string& name, const std::function<void()>& body)>& report) {
  for (int64_t rows : {1, 16, 512}) {
    const std::string suffix = " rows " + std::to_string(rows);
    std::vector<float> x = normal(static_cast<size_t>(rows * 7168), 5), y(x.size());
    std::vector<float> ones(7168, 1.0f);
    Weight w;
    w.data = reinterpret_cast<const std::byte*>(ones.data());
    w.rows = 1;
    w.cols = 7168;
    report("rms_norm 7168" + suffix, [&] {
      rms_norm(ctx, {{x.data(), rows, 7168}, w, 1e-6f, {y.data(), rows, 7168}});
    });
    std::vector<float> gate = normal(static_cast<size_t>(rows * 8 * 2048), 6), up = gate;
    report("swiglu 8 x 2048" + suffix, [&] {
      swiglu(ctx, {{gate.data(), rows * 8, 2048}, {up.data(), rows * 8, 2048}, {up.data(), rows * 8, 2048}});
    });
    std::vector<float> logits = normal(static_cast<size_t>(rows * 256), 7), bias(256, 0.0f),
                       weight(static_cast<size_t>(rows * 8));
    std::vector<int32_t> index(static_cast<size_t>(rows * 8));
    report("router 256 top 8" + suffix, [&] {
      router(ctx, {{logits.data(), rows, 256},
                   bias,
                   8,
                   4,
                   true,
                   2.5f,
                   {index.data(), rows, 8},
                   {weight.data(), rows, 8}});
    });
  }
}

}  // namespace fathom::eval
