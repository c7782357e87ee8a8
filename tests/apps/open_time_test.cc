// From exec to ready in under a second, on the official layout with the official tokenizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "tests/support/build_kind.h"
#include "tests/support/cases.h"
#include "tests/support/official_layout.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace fathom {
namespace {

TEST(CasesOpenTime, OfficialModelOpensInUnderASecond) {
  FATHOM_NEEDS_CASES();
  const test::TemporaryDirectory dir;
  test::write_official_layout(dir.path());
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
    std::filesystem::copy_file(test::cases_directory() + "/tokenizers/deepseek-v3/" + name, dir / name);
  // The best of some, and of more when that is not enough: other processes of the machine must not decide.
  double best = 1e9, cpu = 1e9;
  size_t resident = SIZE_MAX;
  for (int round = 0; round < 3 || (round < 20 && best >= 1.0); ++round) {
    const test::ProcessResult r = test::run_fathom({"info", dir.path(), "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    const Json j = Json::parse(r.out);
    EXPECT_EQ(j["tokenizer"]["vocab_size"], 128815);
    EXPECT_EQ(j["chat_format"], "v3");
    EXPECT_EQ(j["tensors"]["count"], 91991);
    best = std::min(best, r.seconds);
    cpu = std::min(cpu, r.cpu_seconds);
    resident = std::min(resident, r.max_resident);
  }
  std::printf("opened in %.3f s (%.3f s of CPU) with %.0f MB resident\n", best, cpu,
              static_cast<double>(resident) / 1e6);
  if (!test::kFiguresCount) return;
  EXPECT_LT(cpu, 1.0);
  EXPECT_LT(resident, size_t{300} << 20);
  if (!test::machine_is_busy()) {
    EXPECT_LT(best, 1.0);
  }
}

}  // namespace
}  // namespace fathom
