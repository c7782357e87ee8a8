#include "io/weight_check.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "io/sharded_writer.h"
#include "tests/support/temporary_directory.h"

namespace fathom::io {
namespace {

constexpr int64_t kLarge = 5'000'001;  // more than one piece of reading, odd at the end

// Five tensors of harmless values, and what `spoil` makes of the bytes of one.
class WeightCheck : public testing::Test {
 protected:
  std::vector<TensorDeclaration> declarations_ = {{"bf16", DType::bf16, {3, 5}},
                                                  {"e4m3", DType::e4m3, {kLarge}},
                                                  {"e4m3_scale_inv", DType::f32, {7}},
                                                  {"f16", DType::f16, {1025}},
                                                  {"ids", DType::i32, {4}}};

  ModelDirectory write(const std::string& name, size_t at, std::vector<uint8_t> bytes) {
    auto writer = ShardedWriter::create(dir_ / "m", declarations_, {.max_shard_bytes = 1000}).value();
    for (size_t i = 0; i < declarations_.size(); ++i) {
      std::vector<std::byte> data(writer.layout().placements[i].bytes, std::byte{0x3C});
      if (declarations_[i].name == "ids") std::fill(data.begin(), data.end(), std::byte{0xFF});
      if (declarations_[i].name == name) std::memcpy(data.data() + at, bytes.data(), bytes.size());
      writer.append(i, data).value();
    }
    writer.add_file("config.json", "{}").value();
    writer.commit().value();
    return ModelDirectory::open(dir_ / "m").value();
  }
  std::vector<DamagedTensor> check(const std::string& name = "", size_t at = 0,
                                   std::vector<uint8_t> bytes = {}) {
    const ModelDirectory model = write(name, at, std::move(bytes));
    ThreadPool pool(2);
    std::atomic<uint64_t> read{0};
    auto found = check_weights(model, pool, {.on_read = [&](uint64_t n) { read += n; }});
    uint64_t total = 0;
    model.for_each([&](const TensorRef& t) { total += t.bytes; });
    EXPECT_EQ(read, total);
    std::filesystem::remove_all(dir_ / "m");
    return found;
  }
  void expect_found(const std::string& name, size_t at, std::vector<uint8_t> bytes,
                    const std::string& problem) {
    const auto found = check(name, at, std::move(bytes));
    ASSERT_EQ(found.size(), 1u) << name << " " << at;
    EXPECT_EQ(found[0].tensor, name);
    EXPECT_EQ(found[0].problem, problem);
    EXPECT_TRUE(found[0].file.ends_with(".safetensors"));
  }

  test::TemporaryDirectory dir_;
};

std::vector<uint8_t> bytes_of(float v) {
  std::vector<uint8_t> out(4);
  std::memcpy(out.data(), &v, 4);
  return out;
}

TEST_F(WeightCheck, PassesWhatIsSound) {
  EXPECT_TRUE(check().empty());
  EXPECT_TRUE(check("e4m3", 17, {0x7E, 0xFE, 0x80, 0}).empty());
  EXPECT_TRUE(check("bf16", 0, {0x7F, 0x7F}).empty());  // the largest
  EXPECT_TRUE(check("f16", 0, {0xFF, 0x7B}).empty());
  EXPECT_TRUE(check("e4m3_scale_inv", 0, bytes_of(std::numeric_limits<float>::max())).empty());
}

TEST_F(WeightCheck, FindsEveryKindOfDamageWhereverItLies) {
  const float inf = std::numeric_limits<float>::infinity();
  expect_found("e4m3", 0, {0x7F}, "1 value is NaN or infinite");
  expect_found("e4m3", kLarge - 1, {0xFF}, "1 value is NaN or infinite");
  expect_found("e4m3", (4 << 20) - 1, {0xFF, 0x7F}, "2 values are NaN or infinite");
  expect_found("bf16", 28, {0x80, 0x7F}, "1 value is NaN or infinite");
  expect_found("bf16", 0, {0xC1, 0xFF}, "1 value is NaN or infinite");
  expect_found("f16", 2048, {0x00, 0xFC}, "1 value is NaN or infinite");
  expect_found("e4m3_scale_inv", 24, bytes_of(inf), "1 value is NaN or infinite");
  expect_found("e4m3_scale_inv", 0, bytes_of(-inf), "1 value is NaN or infinite");
  expect_found("e4m3_scale_inv", 4, bytes_of(std::nanf("")), "1 value is NaN or infinite");
}

TEST_F(WeightCheck, AFileThatShrankIsAnAnswer) {
  const ModelDirectory model = write("", 0, {});
  const std::string path = model.require("e4m3").path();
  std::filesystem::resize_file(path, 4'500'000);
  ThreadPool pool(2);
  const auto found = check_weights(model, pool);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].tensor, "e4m3");
  EXPECT_EQ(found[0].problem, "cannot be read: the file ends before it");
}

TEST_F(WeightCheck, StopsWhenCancelled) {
  const ModelDirectory model = write("e4m3", 0, {0x7F});
  ThreadPool pool(2);
  const std::atomic<bool> cancelled{true};
  EXPECT_TRUE(check_weights(model, pool, {.cancelled = &cancelled}).empty());
}

}  // namespace
}  // namespace fathom::io
