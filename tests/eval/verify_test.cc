#include "eval/verify.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "base/mapped_file.h"
#include "io/safetensors.h"
#include "tests/support/cases.h"
#include "tests/support/temporary_directory.h"

namespace fathom::eval {
namespace {

using test::cases_directory;

class CasesVerify : public ::testing::TestWithParam<std::tuple<std::string, Backend, Mode>> {};

TEST_P(CasesVerify, Passes) {
  FATHOM_NEEDS_CASES();
  const auto& [name, backend, mode] = GetParam();
  const std::string directory = cases_directory() + "/" + name;
  const model::Model model = model::open_model(directory);
  for (Isa isa : backend == Backend::ref ? std::vector{Isa::avx2} : available_isas()) {
    ThreadPool pool(2);
    const Context ctx{backend, mode, isa, &pool};
    const VerifyReport report = verify(ctx, model, directory + "/expected.safetensors", {});
    for (const auto& [key, part] : report.parts)
      EXPECT_TRUE(part.pass.value_or(true)) << name << " " << name_of(isa) << " " << key << " max " << part.max_abs_diff.value_or(-1)
                                            << " kl " << part.kl_median.value_or(-1) << " top1 " << part.top1_agreement.value_or(-1);
    EXPECT_TRUE(report.pass);
    if (!model.config.fp8_weights || name == "pilot" || mode == Mode::fast) continue;
    const VerifyReport quantized = verify(ctx, model, directory + "/expected.safetensors", {.act_quant = true});
    ASSERT_EQ(quantized.parts.size(), 1u);
    EXPECT_TRUE(quantized.pass) << name << " " << *quantized.parts[0].second.mean_abs_diff_over_std;
  }
}

INSTANTIATE_TEST_SUITE_P(All, CasesVerify,
                         ::testing::Combine(::testing::Values("golden/v3", "golden/v3-fp8", "golden/v3-ue8m0", "golden/v31",
                                                              "golden/moonlight", "pilot"),
                                            ::testing::Values(Backend::ref, Backend::cpu),
                                            ::testing::Values(Mode::faithful, Mode::fast)));

// A copy of a safetensors file with some bytes changed.
class Tampered {
 public:
  explicit Tampered(const std::string& source) : text_(read_file(source).value()), file_(io::SafetensorsFile::open(source).value()) {}
  template <class T>
  void set(const std::string& key, int64_t index, T value) {
    std::memcpy(text_.data() + file_.require(key).offset + static_cast<size_t>(index) * sizeof(T), &value, sizeof value);
  }
  template <class T>
  T get(const std::string& key, int64_t index) const {
    T value;
    std::memcpy(&value, text_.data() + file_.require(key).offset + static_cast<size_t>(index) * sizeof(T), sizeof value);
    return value;
  }
  void rename(const std::string& from, const std::string& to) {  // same length
    text_.replace(text_.find(from), from.size(), to);
  }
  std::string write() {
    EXPECT_TRUE(write_file(directory_ / "expected.safetensors", text_));
    return directory_ / "expected.safetensors";
  }

 private:
  test::TemporaryDirectory directory_;
  std::string text_;
  io::SafetensorsFile file_;
};

class CasesTampered : public ::testing::Test {
 protected:
  void check(const std::string& failing, const std::function<void(Tampered&)>& change) {
    Tampered copy(directory_ + "/expected.safetensors");
    change(copy);
    const model::Model model = model::open_model(directory_);
    ThreadPool pool(1);
    const VerifyReport report = verify({Backend::cpu, Mode::faithful, Isa::avx2, &pool}, model, copy.write(), {});
    EXPECT_FALSE(report.pass);
    for (const auto& [key, part] : report.parts) EXPECT_EQ(part.pass.value_or(true), key != failing) << key;
  }
  std::string directory_ = cases_directory() + "/golden/v3";
};

TEST_F(CasesTampered, OneWrongValueFailsItsPartAlone) {
  FATHOM_NEEDS_CASES();
  check("logits", [](Tampered& f) { f.set("logits", 12345, f.get<float>("logits", 12345) + 3e-4f); });
  check("logits", [](Tampered& f) { f.set("logits", 2 * 48 * 256 - 1, NAN); });
  check("hidden.2", [](Tampered& f) { f.set("hidden.2", 77, f.get<float>("hidden.2", 77) + 1e-3f); });
  check("mtp.0.logits", [](Tampered& f) { f.set("mtp.0.logits", 5, f.get<float>("mtp.0.logits", 5) - 1e-3f); });
  check("greedy", [](Tampered& f) { f.set<int64_t>("greedy", 51, (f.get<int64_t>("greedy", 51) + 1) % 256); });
  check("greedy", [](Tampered& f) { f.set<int64_t>("greedy", 3, (f.get<int64_t>("greedy", 3) + 1) % 256); });
  check("model.layers.2.mlp.topk_weight", [](Tampered& f) {
    const char* key = "model.layers.2.mlp.topk_weight";
    f.set(key, 9, f.get<float>(key, 9) + 0.01f);
  });
}

TEST_F(CasesTampered, OneWrongExpertFails) {
  FATHOM_NEEDS_CASES();
  Tampered copy(directory_ + "/expected.safetensors");
  const char* key = "model.layers.1.mlp.topk_index";
  const int32_t old = copy.get<int32_t>(key, 40);
  int32_t other = 0;
  const auto chosen = [&](int32_t e) {
    for (int64_t i = 40 / 4 * 4; i < 40 / 4 * 4 + 4; ++i)
      if (copy.get<int32_t>(key, i) == e) return true;
    return false;
  };
  while (other == old || chosen(other)) ++other;
  copy.set(key, 40, other);
  const model::Model model = model::open_model(directory_);
  ThreadPool pool(1);
  EXPECT_FALSE(verify({Backend::cpu, Mode::faithful, Isa::avx2, &pool}, model, copy.write(), {}).pass);
}

TEST_F(CasesTampered, UnknownKeysTypesAndIdsAreErrors) {
  FATHOM_NEEDS_CASES();
  const model::Model model = model::open_model(directory_);
  ThreadPool pool(1);
  const auto refused = [&](const std::function<void(Tampered&)>& change) {
    Tampered copy(directory_ + "/expected.safetensors");
    change(copy);
    const std::string path = copy.write();
    EXPECT_THROW((void)verify({Backend::cpu, Mode::faithful, Isa::avx2, &pool}, model, path, {}), Exception);
  };
  refused([](Tampered& f) { f.rename("\"logits\"", "\"logitz\""); });
  refused([](Tampered& f) { f.rename("\"hidden.3\"", "\"hidden.9\""); });
  refused([](Tampered& f) { f.rename("\"mtp.0.logits\"", "\"mtp.1.logits\""); });
  refused([](Tampered& f) { f.rename("mlp.topk_index", "mlp.topk_indez"); });
  refused([](Tampered& f) { f.set<int64_t>("input_ids", 3, 256); });
  refused([](Tampered& f) { f.set<int64_t>("input_ids", 3, -1); });
}

}  // namespace
}  // namespace fathom::eval
