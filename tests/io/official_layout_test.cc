// Opening the official layout: 163 files, 91,991 tensors, holes for data.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "io/model_directory.h"
#include "tests/support/build_kind.h"
#include "tests/support/official_layout.h"
#include "tests/support/temporary_directory.h"

namespace fathom::io {
namespace {

size_t resident_memory() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(OfficialLayout, CountsAreThePublishedOnes) {
  int64_t elements = 0, bytes = 0;
  size_t count = 0;
  for (const test::OfficialTensor& t : test::official_layout()) {
    ++count;
    elements += t.shape.elements();
    bytes += t.shape.elements() * static_cast<int64_t>(size_of(t.dtype));
  }
  EXPECT_EQ(count, 91991u);
  EXPECT_EQ(elements, 684531386000);
  EXPECT_EQ(bytes, 688574839360);
}

TEST(OfficialLayout, OpensInHalfASecondAndTouchesNothing) {
  const test::TemporaryDirectory dir;
  test::write_official_layout(dir.path());
  const size_t before = resident_memory();
  double best = 1e9;
  // The best of some, and of more when that is not enough: other processes of the machine must not decide.
  for (int round = 0; round < 3 || (test::kFiguresCount && round < 20 && best >= 0.5); ++round) {
    const auto start = std::chrono::steady_clock::now();
    const ModelDirectory model = ModelDirectory::open(dir.path()).value();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    EXPECT_EQ(model.tensor_count(), 91991u);
    EXPECT_EQ(model.files().size(), 163u);
  }
  std::printf("opened in %.3f s\n", best);
  if (test::kFiguresCount) {
    EXPECT_LT(best, 0.5);
  }
  const ModelDirectory model = ModelDirectory::open(dir.path()).value();
  if (test::kFiguresCount) {
    EXPECT_LT(resident_memory() - before, size_t{100} << 20);
  }
  const auto start = std::chrono::steady_clock::now();
  for (const test::OfficialTensor& t : test::official_layout()) {
    const TensorRef found = model.require(t.name);
    ASSERT_EQ(found.dtype, t.dtype) << t.name;
    ASSERT_EQ(found.shape, t.shape) << t.name;
    ASSERT_TRUE(found.path().ends_with(test::official_shard_name(t.shard))) << t.name;
  }
  const double lookups = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("91,991 lookups in %.3f s\n", lookups);
  EXPECT_FALSE(model.lookup("model.layers.62.input_layernorm.weight"));
  const TensorRef expert = model.require("model.layers.40.mlp.experts.17.up_proj.weight");
  EXPECT_EQ(expert.resident_bytes(), 0u);
  EXPECT_EQ(expert.data[expert.bytes - 1], std::byte{0});
  EXPECT_GT(expert.resident_bytes(), 0u);
  EXPECT_TRUE(model.generation_config_text());
}

}  // namespace
}  // namespace fathom::io
