// ref against cpu at the layer widths of the real V3, on a checkpoint of about 16 GB that removes itself:
// written by init's writer, opened in under a second, one prompt through both, resident memory near what was
// touched.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "infer/expert_record.h"
#include "infer/latent_pool.h"
#include "model/forward.h"
#include "model/random_checkpoint.h"
#include "model/residency.h"
#include "tests/support/official_layout.h"
#include "tests/support/temporary_directory.h"

namespace fathom::model {
namespace {

std::string two_layer_config() {
  Json config = parse_json(test::official_config_text(), "official").value();
  config["num_hidden_layers"] = 2;
  config["first_k_dense_replace"] = 1;
  config["num_nextn_predict_layers"] = 0;
  return config.dump(2);
}

// Bytes of file pages that this process has mapped in.
int64_t resident_file_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssFile:")) return std::stoll(line.substr(8)) * 1024;
  return 0;
}

std::vector<float> logits(const Context& ctx, const Model& model, std::span<const int32_t> tokens,
                          Observer* observer) {
  const int64_t rows = static_cast<int64_t>(tokens.size());
  infer::LatentPool pool(model.config, ctx.mode, infer::LatentPool::blocks_for(rows));
  const std::vector<int32_t> table{pool.acquire()}, sequence(tokens.size());
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  Workspace workspace(model.config, rows);
  Forward forward(ctx, model, workspace);
  const Mat<float> hidden = forward.layers({.tokens = tokens,
                                            .positions = positions,
                                            .rows = {.rows = rows,
                                                     .sequence = sequence.data(),
                                                     .position = positions.data(),
                                                     .tables = {table.data(), 1, 1}},
                                            .cache = pool.layers()},
                                           observer);
  forward.final_norm(hidden, hidden);
  std::vector<float> out(static_cast<size_t>(model.config.vocab_size));
  forward.head(hidden.rows_from(rows - 1, 1), {out.data(), 1, model.config.vocab_size});
  return out;
}

TEST(LargeRealWidth, RefAndCpuAgree) {
  const test::TemporaryDirectory directory;
  const Config config = parse_config(two_layer_config(), "config.json").value();
  ThreadPool pool(2);
  Stopwatch watch;
  write_random_checkpoint(config, directory / "model",
                          {.seed = 1, .files = {{"config.json", two_layer_config()}}}, pool);
  std::printf("written in %.1f s\n", watch.seconds());

  watch.restart();
  const Model model = open_model(directory / "model");
  std::printf("opened in %.3f s\n", watch.seconds());
  EXPECT_LT(watch.seconds(), 1.0);
  EXPECT_GT(weight_bytes(model).total(), int64_t{14} << 30);

  const std::vector<int32_t> tokens{0, 17, 90000, 4242, 128000, 5, 77, 31337};
  infer::ExpertRecord experts(config, static_cast<int64_t>(tokens.size()));
  const int64_t before = resident_file_bytes();
  watch.restart();
  (void)logits({Backend::cpu, Mode::fast, best_isa(), &pool}, model, tokens, &experts);
  const int64_t resident = resident_file_bytes() - before;
  const WeightBytes bytes = weight_bytes(model);
  const int64_t expected = bytes.dense + bytes.experts / config.n_routed_experts * experts.touched();
  std::printf("%lld experts touched; resident %.2f GB of %.2f GB, touched %.2f GB; %.1f s cold\n",
              static_cast<long long>(experts.touched()), static_cast<double>(resident) * 1e-9,
              static_cast<double>(bytes.total()) * 1e-9, static_cast<double>(expected) * 1e-9,
              watch.seconds());
  // The kernel maps neighbouring pages of the file as well: some tens of KB around each tensor's edges.
  EXPECT_LT(static_cast<double>(resident), 1.1 * static_cast<double>(expected));

  watch.restart();
  const auto ref = logits({Backend::ref, Mode::faithful, Isa::avx2, &pool}, model, tokens, nullptr);
  std::printf("ref: %.1f s\n", watch.seconds());
  const auto ref_fast = logits({Backend::ref, Mode::fast, Isa::avx2, &pool}, model, tokens, nullptr);
  double square = 0;
  for (float v : ref) square += static_cast<double>(v) * v;
  const double rms = std::sqrt(square / static_cast<double>(ref.size()));
  const auto distance = [&](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i)
      sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    return std::sqrt(sum / static_cast<double>(a.size())) / rms;
  };
  for (Isa isa : available_isas()) {
    const double exact =
        distance(logits({Backend::cpu, Mode::faithful, isa, &pool}, model, tokens, nullptr), ref);
    const double rounded =
        distance(logits({Backend::cpu, Mode::fast, isa, &pool}, model, tokens, nullptr), ref_fast);
    std::printf("%s: relative difference of logits %.2e faithful, %.2e fast\n",
                std::string(name_of(isa)).c_str(), exact, rounded);
    // FP32 sums of up to 18,432 products in another order; BF16 operands flip a rounding here and there (2^-9
    // each).
    EXPECT_LT(exact, 1e-5);
    EXPECT_LT(rounded, 2e-2);
  }
}

}  // namespace
}  // namespace fathom::model
